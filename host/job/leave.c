#include "job/leave.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "job/alive.h"
#include "job/journal.h"
#include "job/save.h"
#include "job/say.h"

static const char leave_error; /* its address is the error value */

/* While the script is being unwound, every instruction and every call of it raises the error again:
 * a pcall, or a __close handler, does not get far. */
static void leave_hook(lua_State *L, lua_Debug *debug)
{
    (void)debug;
    lua_pushlightuserdata(L, (void *)(uintptr_t)&leave_error);
    lua_error(L);
}

int leave_is_unwinding(lua_State *L, int index)
{
    return lua_touserdata(L, index) == (const void *)&leave_error;
}

void leave_release_lock(struct job *job)
{
    if (job->lock == NULL)
        return;
    int needed = job->has_snapshot && journal_is_needed(job);
    if (!job->is_running) /* a run that never came as far as to start leaves things as they were */
        needed = *lock_note(job->lock) != '\0' || *lock_mark(job->lock) != '\0';
    else if (needed)
        alive_end(job);
    lock_release(job->lock, !needed);
    job->lock = NULL;
}

_Noreturn void leave_job(lua_State *L, struct job *job, int code, int signal)
{
    struct ckptlua *host = job->host;
    save_wait(job);
    save_abandon(job);
    if (host->on_exit != NULL) {
        pthread_mutex_lock(&host->speak);
        progress_clear(&job->progress);
        pthread_mutex_unlock(&host->speak);
        if (fflush(stdout) != 0)
            say_failure(host, "writing stdout failed: %s", strerror(errno));
        fflush(NULL);                 /* the other files, as exit does, which is not called */
        schedule_stop(job->schedule); /* its thread marks in the lock file that we live */
        leave_release_lock(job);
        if (signal != 0)
            signals_die_of(signal);
        host->on_exit(host->exit_context, code);
        abort(); /* it must not return */
    }
    job->leaving = job->exact.leaving = 1;
    job->code = signal != 0 ? 128 + signal : code;
    leave_again(L, job);
}

static void leave_set_hook(lua_State *L)
{
    lua_sethook(L, leave_hook, LUA_MASKCALL | LUA_MASKCOUNT, 1);
}

_Noreturn void leave_again(lua_State *L, struct job *job)
{
    job->exact.armed = 0;
    leave_set_hook(job->exact.current);
    for (const struct exact_resumer *resumer = job->exact.resumers; resumer != NULL;
         resumer = resumer->previous)
        leave_set_hook(resumer->thread);
    lua_pushlightuserdata(L, (void *)(uintptr_t)&leave_error);
    lua_error(L);
    abort(); /* lua_error does not return, but is not declared so */
}
