#include "batch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "driver.h"

enum {
    BATCH_SECONDS = 200, /* that all pieces may take */
    BATCH_SAVED = 85,
    BATCH_COUNT = 20, /* instructions between two calls of the hook that counts them */
    BATCH_WORDS = 6,
    BATCH_STEPS = 1000
};

struct batch_text {
    char *bytes;
    size_t size;
};

/* What a command has come to. */
struct batch_result {
    int code;
    struct batch_text streams[2]; /* stdout, stderr */
};

/* What the child tells. */
struct batch_shared {
    long length; /* instructions of a stock run */
    long steps[BATCH_STEPS];
    int count;
};

static struct batch_shared *batch_shared;

static _Noreturn void batch_fail(const char *what)
{
    perror(what);
    exit(2);
}

/* ---------------------------------------------------------------- a piece */

/* Adds what is to be read; returns 0 at the end. */
static int batch_read(int fd, struct batch_text *text)
{
    static char block[1 << 16];
    ssize_t got = read(fd, block, sizeof block);
    if (got <= 0)
        return 0;
    text->bytes = realloc(text->bytes, text->size + (size_t)got);
    if (text->bytes == NULL)
        batch_fail("realloc");
    memcpy(text->bytes + text->size, block, (size_t)got);
    text->size += (size_t)got;
    return 1;
}

/* Waits for the child to end; its streams come by the descriptors. Returns its exit code, or minus
 * the signal that it died of. */
static int batch_wait(pid_t pid, const int fds[2], struct batch_result *result)
{
    int status, open = 2;
    struct pollfd polls[2] = {{fds[0], POLLIN, 0}, {fds[1], POLLIN, 0}};
    while (open > 0) {
        if (poll(polls, 2, -1) < 0 && errno != EINTR)
            batch_fail("poll");
        for (int i = 0; i < 2; i++)
            if (polls[i].revents != 0 && !batch_read(polls[i].fd, &result->streams[i])) {
                close(polls[i].fd);
                polls[i].fd = -1;
                polls[i].revents = 0;
                open--;
            }
    }
    if (waitpid(pid, &status, 0) < 0)
        batch_fail("waitpid");
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

/* Forks. In the child, which has the folder, streams of its own and a time limit, returns 1; in the
 * parent 0, with the child's code in *result. */
static int batch_fork(const char *folder, struct batch_result *result)
{
    int out[2], err[2];
    if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0)
        batch_fail("pipe2");
    pid_t pid = fork();
    if (pid < 0)
        batch_fail("fork");
    if (pid > 0) {
        close(out[1]);
        close(err[1]);
        result->code = batch_wait(pid, (const int[2]){out[0], err[0]}, result);
        return 0;
    }
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (dup2(nothing, 0) < 0 || dup2(out[1], 1) < 0 || dup2(err[1], 2) < 0 || chdir(folder) != 0)
        _exit(2);
    close(out[0]);
    close(err[0]);
    alarm(BATCH_SECONDS);
    return 1;
}

static _Noreturn void batch_end(int code)
{
    fflush(NULL);
    _exit(code);
}

/* ---------------------------------------------------------------- stock */

static void batch_count(lua_State *L, lua_Debug *debug)
{
    (void)L;
    (void)debug;
    batch_shared->length += BATCH_COUNT;
}

/* As lua.c's. */
static int batch_traceback(lua_State *L)
{
    const char *message = lua_tostring(L, 1);
    if (message == NULL) {
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
            return 1;
        message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    }
    luaL_traceback(L, L, message, 1);
    return 1;
}

/* Runs a script as lua.c does, but for the name that messages begin with. */
static int batch_stock(const char *script, const char *argument)
{
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_gc(L, LUA_GCGEN, 0, 0);
    lua_newtable(L);
    lua_pushstring(L, script);
    lua_rawseti(L, -2, 0);
    if (argument != NULL) {
        lua_pushstring(L, argument);
        lua_rawseti(L, -2, 1);
    }
    lua_setglobal(L, "arg");
    lua_sethook(L, batch_count, LUA_MASKCOUNT, BATCH_COUNT);
    lua_pushcfunction(L, batch_traceback);
    int status = luaL_loadfile(L, script);
    if (status == LUA_OK && argument != NULL)
        lua_pushstring(L, argument);
    if (status == LUA_OK)
        status = lua_pcall(L, argument != NULL, LUA_MULTRET, 1);
    if (status != LUA_OK) {
        fflush(stdout);
        fprintf(stderr, "ckptlua: %s\n", lua_tostring(L, -1));
    }
    lua_close(L);
    return status != LUA_OK;
}

/* ---------------------------------------------------------------- commands */

/* The next step of the list, or -1: to the end. */
static long batch_step(char **steps, long length)
{
    char *end;
    if (**steps == '\0')
        return -1;
    long step = strtol(*steps, &end, 10);
    if (*end == '%') {
        step = length * step / 100;
        end++;
    }
    *steps = end + (*end == ',');
    return step < 1 ? 1 : step;
}

/* In the child: runs the pieces; returns the exit code of the last one. */
static int batch_pieces(char *words[BATCH_WORDS], const char *seed)
{
    char *steps = words[5];
    long length = atol(words[4]);
    for (;;) {
        long step = batch_step(&steps, length);
        if (step > 0 && batch_shared->count < BATCH_STEPS)
            batch_shared->steps[batch_shared->count++] = step;
        int code = driver_run(step, seed, words[2], words[3], 0, NULL);
        if (code != BATCH_SAVED || step < 0)
            return code;
    }
}

static void batch_answer(const struct batch_result *result)
{
    printf("%d %ld %zu %zu ", result->code, batch_shared->length, result->streams[0].size,
           result->streams[1].size);
    for (int i = 0; i < batch_shared->count; i++)
        printf("%s%ld", i == 0 ? "" : ",", batch_shared->steps[i]);
    printf("%s\n", batch_shared->count == 0 ? "-" : "");
    for (int i = 0; i < 2; i++)
        if (result->streams[i].size > 0)
            fwrite(result->streams[i].bytes, 1, result->streams[i].size, stdout);
    fflush(stdout);
}

static int batch_do(char *line, const char *seed)
{
    struct batch_result result = {0};
    char *words[BATCH_WORDS] = {NULL}, *rest = line;
    int count = 0;
    line[strcspn(line, "\n")] = '\0';
    while (count < BATCH_WORDS && rest != NULL)
        words[count++] = strsep(&rest, "\t");
    batch_shared->length = 0;
    batch_shared->count = 0;
    if (strcmp(words[0], "stock") == 0 && count >= 3) {
        if (batch_fork(words[1], &result))
            batch_end(batch_stock(words[2], words[3]));
    } else if (strcmp(words[0], "chain") == 0 && count == BATCH_WORDS) {
        if (batch_fork(words[1], &result))
            batch_end(batch_pieces(words, seed));
    } else {
        return 2;
    }
    batch_answer(&result);
    free(result.streams[0].bytes);
    free(result.streams[1].bytes);
    return 0;
}

int batch_serve(const char *seed)
{
    char *line = NULL;
    size_t room = 0;
    int code = 0;
    batch_shared =
        mmap(NULL, sizeof *batch_shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (batch_shared == MAP_FAILED)
        batch_fail("mmap");
    while (code == 0 && getline(&line, &room, stdin) > 0)
        code = batch_do(line, seed);
    free(line);
    munmap(batch_shared, sizeof *batch_shared);
    return code;
}
