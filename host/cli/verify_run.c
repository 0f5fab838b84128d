#include "cli/verify_run.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include "cli/verify_wait.h"

#define PROCESS_TYPE "ckptlua verify process"

/* Seconds between two looks at a process that is starting. */
#define LOOK_AGAIN 0.0005
#define LOOK_AGAIN_LATER 0.01

struct process {
    pid_t pid;         /* 0 before it is started */
    int output;        /* its stdout; -1 when closed */
    int ended;         /* it has been waited for */
    siginfo_t outcome; /* of one that has ended */
};

static struct process *verify_run_check(lua_State *L)
{
    return luaL_checkudata(L, 1, PROCESS_TYPE);
}

/* ---------------------------------------------------------------- starting */

/* stdin of a process that may be started again and again: a file from where it stands now; what
 * comes from elsewhere can be read only once, so it is nothing. */
static int verify_run_open_input(void)
{
    struct stat status;
    off_t position = lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (position < 0 || fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        return open("/dev/null", O_RDONLY);
    int fd = open("/proc/self/fd/0", O_RDONLY);
    if (fd >= 0)
        lseek(fd, position, SEEK_SET);
    return fd;
}

static int verify_run_append(const char *folder, const char *name)
{
    char *file = NULL;
    if (asprintf(&file, "%s/%s", folder, name) < 0)
        return -1;
    int fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    free(file);
    return fd;
}

static int verify_run_enter(const char *folder)
{
    return chdir(folder) == 0 && chdir("work") == 0;
}

/* In the child. A group of its own: the terminal's Ctrl-C is for verify alone, and what the job
 * starts can be ended with it. */
_Noreturn static void verify_run_become(const char *folder, char *const words[], int output,
                                        int errors, pid_t parent)
{
    int input = verify_run_open_input();
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent && input >= 0 && verify_run_enter(folder) && dup2(input, 0) == 0 &&
        dup2(output, 1) == 1 && dup2(errors, 2) == 2) {
        verify_wait_undo();
        execv("/proc/self/exe", words);
    }
    _exit(127);
}

/* The words of the stack from index `first` on, behind the program's name; pushes their owner. */
static char **verify_run_words(lua_State *L, int first)
{
    int count = lua_gettop(L) - first + 1;
    char **words = lua_newuserdatauv(L, ((size_t)count + 2) * sizeof *words, 0);
    words[0] = (char *)(uintptr_t) "ckptlua";
    for (int i = 0; i < count; i++)
        words[i + 1] = (char *)(uintptr_t)lua_tostring(L, first + i);
    words[count + 1] = NULL;
    return words;
}

static int verify_run_fork(struct process *process, const char *folder, char *const words[])
{
    int errors = verify_run_append(folder, "stderr");
    process->output = verify_run_append(folder, "stdout");
    if (errors >= 0 && process->output >= 0) {
        pid_t parent = getpid();
        process->pid = fork();
        if (process->pid == 0)
            verify_run_become(folder, words, process->output, errors, parent);
        if (process->pid > 0)
            setpgid(process->pid, process->pid); /* whoever comes first */
    }
    int problem = errno;
    if (errors >= 0)
        close(errors);
    errno = problem;
    return process->pid > 0;
}

static int verify_run_forget(lua_State *L);
static int verify_run_ready(lua_State *L);
static int verify_run_wait(lua_State *L);
static int verify_run_kill(lua_State *L);
static int verify_run_result(lua_State *L);

static void verify_run_set_type(lua_State *L)
{
    static const luaL_Reg methods[] = {{"ready", verify_run_ready},
                                       {"wait", verify_run_wait},
                                       {"kill", verify_run_kill},
                                       {"result", verify_run_result},
                                       {NULL, NULL}};
    if (luaL_newmetatable(L, PROCESS_TYPE)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, verify_run_forget);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
}

int verify_run_start(lua_State *L)
{
    const char *folder = luaL_checkstring(L, 1);
    for (int i = 2; i <= lua_gettop(L); i++)
        luaL_checkstring(L, i);
    luaL_checkstack(L, 8, NULL);
    struct process *process = lua_newuserdatauv(L, sizeof *process, 0);
    *process = (struct process){.output = -1};
    verify_run_set_type(L);
    lua_insert(L, 1);
    if (!verify_run_fork(process, folder, verify_run_words(L, 3)))
        return luaL_error(L, "cannot start the job in %s: %s", folder, strerror(errno));
    lua_settop(L, 1);
    return 1;
}

/* ---------------------------------------------------------------- ending */

/* Waits for one that has ended, and ends what it has left behind: its group cannot be another's as
 * long as it has not been waited for. */
static int verify_run_has_ended(struct process *process)
{
    if (process->ended)
        return 1;
    process->outcome.si_pid = 0;
    if (waitid(P_PID, (id_t)process->pid, &process->outcome, WEXITED | WNOHANG | WNOWAIT) != 0 ||
        process->outcome.si_pid == 0)
        return 0;
    kill(-process->pid, SIGKILL);
    while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    process->ended = 1;
    return 1;
}

/* One that Ctrl-C has ended before it had a process group of its own: so it does this one, which
 * may be told a little later. Returns the signal, or 0. */
static int verify_run_interrupt(const struct process *process)
{
    int interrupted =
        process->outcome.si_code == CLD_KILLED && process->outcome.si_status == SIGINT;
    return interrupted ? verify_wait_for(0.2) : 0;
}

/* process:__gc() */
static int verify_run_forget(lua_State *L)
{
    struct process *process = verify_run_check(L);
    if (process->pid > 0 && !process->ended) {
        kill(-process->pid, SIGKILL);
        while (waitpid(process->pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        process->ended = 1;
    }
    if (process->output >= 0)
        close(process->output);
    process->output = -1;
    return 0;
}

static int verify_run_wait(lua_State *L)
{
    struct process *process = verify_run_check(L);
    double end = verify_wait_clock() + luaL_checknumber(L, 2);
    for (;;) {
        if (verify_run_has_ended(process)) {
            int interrupt = verify_run_interrupt(process);
            if (interrupt != 0)
                lua_pushinteger(L, interrupt);
            else
                lua_pushliteral(L, "ended");
            return 1;
        }
        double left = end - verify_wait_clock();
        if (left <= 0) {
            lua_pushliteral(L, "time");
            return 1;
        }
        int stop = verify_wait_for(left);
        if (stop != 0) {
            lua_pushinteger(L, stop);
            return 1;
        }
    }
}

/* ---------------------------------------------------------------- its beginning */

/* The host of a job takes its signals when all is restored and the script is about to begin. */
static int verify_run_takes_signals(pid_t pid)
{
    char name[64], line[256];
    unsigned long long caught = 0;
    snprintf(name, sizeof name, "/proc/%ld/status", (long)pid);
    FILE *in = fopen(name, "re");
    if (in == NULL)
        return 0;
    while (fgets(line, sizeof line, in) != NULL)
        if (strncmp(line, "SigCgt:", 7) == 0)
            caught = strtoull(line + 7, NULL, 16);
    fclose(in);
    return (int)(caught >> (SIGTERM - 1) & 1);
}

static lua_Integer verify_run_output_length(const struct process *process)
{
    struct stat status;
    return fstat(process->output, &status) == 0 ? (lua_Integer)status.st_size : 0;
}

static int verify_run_ready(lua_State *L)
{
    struct process *process = verify_run_check(L);
    double began = verify_wait_clock(), end = began + luaL_checknumber(L, 2), now = began;
    lua_Integer output = verify_run_output_length(process);
    const char *how = "time";
    int stop = 0;
    while (now < end && stop == 0) {
        if (verify_run_has_ended(process)) {
            how = "ended";
            stop = verify_run_interrupt(process);
            break;
        }
        int ready = verify_run_takes_signals(process->pid);
        /* It is cut back before the script begins, and grows later. */
        lua_Integer length = verify_run_output_length(process);
        output = length < output ? length : output;
        if (ready) {
            how = "ready";
            break;
        }
        stop = verify_wait_for(now - began < 0.1 ? LOOK_AGAIN : LOOK_AGAIN_LATER);
        now = verify_wait_clock();
    }
    if (stop != 0)
        lua_pushinteger(L, stop);
    else
        lua_pushstring(L, how);
    lua_pushinteger(L, output);
    return 2;
}

/* ---------------------------------------------------------------- the rest */

static int verify_run_kill(lua_State *L)
{
    const struct process *process = verify_run_check(L);
    const char *name = luaL_checkstring(L, 2);
    if (!process->ended)
        kill(process->pid, strcmp(name, "TERM") == 0 ? SIGTERM : SIGKILL);
    return 0;
}

static int verify_run_result(lua_State *L)
{
    const struct process *process = verify_run_check(L);
    luaL_argcheck(L, process->ended, 1, "it has not ended");
    if (process->outcome.si_code == CLD_EXITED) {
        lua_pushinteger(L, process->outcome.si_status);
        return 1;
    }
    const char *name = sigabbrev_np(process->outcome.si_status);
    lua_pushnil(L);
    lua_pushstring(L, name != NULL ? name : "?");
    return 2;
}

int verify_run_clock(lua_State *L)
{
    lua_pushnumber(L, verify_wait_clock());
    return 1;
}
