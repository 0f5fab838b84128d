#include "job/terminal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "base/clock.h"
#include "exact/address.h"

/* Seconds without a bar behind what the job has printed, which may be printing more. */
#define TERMINAL_PAUSE 0.3

/* The stock function is upvalue 1; it has no upvalues itself. */
static int terminal_print(lua_State *L)
{
    struct job *job = host_job(L);
    pthread_mutex_lock(&job->host->speak);
    progress_clear(&job->progress);
    job->progress.held = clock_monotonic() + TERMINAL_PAUSE;
    pthread_mutex_unlock(&job->host->speak);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* table[name] = a closure over it, for the table on top of the stack, which is popped. It is the
 * host's own: where there is no terminal all other objects have the same places. */
static void terminal_wrap(lua_State *L, const char *name)
{
    lua_getfield(L, -1, name);
    const struct exact *exact = &host_job(L)->exact;
    int own = exact_own(exact, ZONE_HOSTS);
    lua_pushcclosure(L, terminal_print, 1);
    exact_own(exact, own);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
}

void terminal_open(lua_State *L)
{
    if (!isatty(STDOUT_FILENO) || !isatty(STDERR_FILENO))
        return;
    lua_pushglobaltable(L);
    terminal_wrap(L, "print");
    lua_getglobal(L, LUA_IOLIBNAME);
    terminal_wrap(L, "write");
    luaL_getmetatable(L, LUA_FILEHANDLE);
    lua_getfield(L, -1, "__index");
    terminal_wrap(L, "write");
    lua_pop(L, 1);
}

static void terminal_write(int tty, const char *text)
{
    ssize_t ignored = write(tty, text, strlen(text));
    (void)ignored;
}

/* Reads a line; true if it begins with y. poll, unlike read, is interrupted by a signal. */
static int terminal_read_yes(int tty, struct schedule *schedule)
{
    struct pollfd wait = {.fd = tty, .events = POLLIN};
    char line[64];
    ssize_t got = 0;
    int ready;
    while ((ready = poll(&wait, 1, 250)) <= 0 && atomic_load(&schedule->requests) == 0)
        ;
    if (ready > 0)
        got = read(tty, line, sizeof line);
    if (got <= 0 || line[got - 1] != '\n') /* nobody has pressed Enter */
        terminal_write(tty, "\n");
    return got > 0 && (line[0] == 'y' || line[0] == 'Y');
}

enum terminal_answer terminal_ask_to_continue(struct job *job, const char *text)
{
    if (!job->host->handle_signals || !isatty(STDERR_FILENO))
        return TERMINAL_NONE;
    int tty = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (tty < 0)
        return TERMINAL_NONE;
    if (tcgetpgrp(tty) != getpgrp()) { /* in the background: nobody can answer */
        close(tty);
        return TERMINAL_NONE;
    }
    pthread_mutex_lock(&job->host->speak);
    progress_clear(&job->progress);
    terminal_write(tty, "\nckptlua: ");
    terminal_write(tty, text);
    terminal_write(tty, "; continue? [y/N] ");
    int yes = terminal_read_yes(tty, job->schedule);
    pthread_mutex_unlock(&job->host->speak);
    close(tty);
    /* A SIGINT at the question has been its answer. */
    atomic_fetch_and(&job->schedule->requests, ~SCHEDULE_INTERRUPT);
    atomic_store(&job->schedule->interrupted, 0);
    return yes ? TERMINAL_YES : TERMINAL_NO;
}
