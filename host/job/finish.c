#include "job/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <lauxlib.h>

#include "job/journal.h"
#include "job/save.h"
#include "job/say.h"
#include "store/generations.h"

static int finish_failed(struct job *job, const char *message)
{
    if (job->has_snapshot)
        say_failure(job->host, "%s; %s keeps the last state: %s to continue", message, job->shown,
                    say_again(job));
    else
        say_failure(job->host, "%s", message);
    return CKPTLUA_NOT_SAVED;
}

/* ---------------------------------------------------------------- while the state is there */

/* The last snapshot of --on-finish keep. It becomes FILE when all else is done. */
static int finish_prepare(lua_State *L, struct job *job)
{
    struct save_result result;
    save_abandon(job);
    if (!lua_checkstack(L, 16))
        return finish_failed(job, "not enough memory");
    if (job->host->options.on_finish == OPTIONS_KEEP && !job->in_hook) {
        struct save_request request = {"the job has ended", "ended", CKPTLUA_OK, 1};
        job->untold = 0;
        save_run(L, job, &request, &result);
        if (result.outcome != SAVE_DONE)
            return finish_failed(job, result.message);
    }
    return CKPTLUA_OK;
}

static int finish_files(lua_State *L)
{
    files_finish(L);
    return 0;
}

/* Closes the files, without the finalizers of the script. */
static int finish_files_now(lua_State *L, struct job *job)
{
    lua_pushcfunction(L, finish_files);
    if (lua_pcall(L, 0, 0, 0) == LUA_OK)
        return CKPTLUA_OK;
    int code = finish_failed(job, luaL_tolstring(L, -1, NULL));
    lua_pop(L, 2);
    return code;
}

/* Closes the state: finalizers run, and may still write, or end the job with a code of theirs. */
static int finish_state(struct job *job)
{
    files_finish_at_close(job->L);
    finish_close_state(job);
    if (job->leaving && job->code != CKPTLUA_OK)
        return job->code;
    return *job->failure == '\0' ? CKPTLUA_OK : finish_failed(job, job->failure);
}

void finish_close_state(struct job *job)
{
    job->is_over = job->is_closing = 1;
    job->leaving = job->exact.leaving = 0; /* an embedder's script may have been unwound */
    lua_sethook(job->L, NULL, 0, 0);
    lua_close(job->L);
    job->L = NULL;
}

/* ---------------------------------------------------------------- what is left */

/* Leaves an empty FILE, which counts as none. */
static int finish_empty(struct job *job, struct error *error)
{
    generations_forget_older(job->file);
    int fd = open(job->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || close(fd) != 0)
        return error_set_system(error, "emptying %s failed", job->shown);
    return 0;
}

/* All that the job wrote is safe: its snapshot and the generations go, or are emptied, or stay. */
static int finish_snapshot(struct job *job)
{
    struct error error;
    int status = 0;
    if (save_commit_last(job, &error) != 0)
        return finish_failed(job, error.message);
    generations_clean(job->file);
    switch (job->host->options.on_finish) {
    case OPTIONS_KEEP:
        generations_forget_older(job->file);
        break;
    case OPTIONS_EMPTY:
        status = finish_empty(job, &error);
        break;
    case OPTIONS_REMOVE:
        if (job->has_snapshot || job->has_written)
            status = generations_remove(job->file, &error);
        break;
    }
    if (status != 0)
        say_note(job, "the job has ended well, but %s", error.message);
    job->has_snapshot = 0; /* nothing goes on from it any more */
    return CKPTLUA_OK;
}

static int finish_streams(struct job *job)
{
    struct error error;
    if (job->has_snapshot)
        journal_sync(job);
    if (stdio_finish(job->stdio, &error) == 0)
        return CKPTLUA_OK;
    int code = finish_failed(job, error.message);
    return job->has_snapshot ? code : CKPTLUA_FAILED;
}

int finish_job(lua_State *L, struct job *job, int close)
{
    /* A finalizer that calls os.exit(0): the one who closes the state has begun all this. */
    int code = job->is_closing ? CKPTLUA_OK : finish_prepare(L, job);
    if (code == CKPTLUA_OK)
        code = close && !job->is_closing ? finish_state(job) : finish_files_now(L, job);
    if (code == CKPTLUA_OK)
        code = finish_streams(job);
    return code == CKPTLUA_OK ? finish_snapshot(job) : code;
}
