#include "job/finish.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <lauxlib.h>

#include "job/save.h"
#include "job/say.h"
#include "store/generations.h"

static int finish_files(lua_State *L)
{
    files_finish(L);
    return 0;
}

static int finish_failed(struct job *job, const char *message)
{
    if (job->has_snapshot)
        say_failure(job->host, "%s; %s keeps the last state: %s to continue", message, job->shown,
                    say_again(job));
    else
        say_failure(job->host, "%s", message);
    return CKPTLUA_NOT_SAVED;
}

int finish_before_close(lua_State *L, struct job *job)
{
    struct save_result result;
    int code = CKPTLUA_OK;
    save_abandon(job);
    if (!lua_checkstack(L, 16))
        return finish_failed(job, "not enough memory");
    if (job->host->options.on_finish == OPTIONS_KEEP && !job->in_hook) {
        struct save_request request = {"the job has ended", "ended", CKPTLUA_OK, 1};
        save_run(L, job, &request, &result);
        if (result.outcome != SAVE_DONE)
            return finish_failed(job, result.message);
    }
    lua_pushcfunction(L, finish_files);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK) {
        code = finish_failed(job, luaL_tolstring(L, -1, NULL));
        lua_pop(L, 2);
    }
    return code;
}

/* Leaves an empty FILE, which counts as none. */
static int finish_empty(struct job *job, struct error *error)
{
    generations_forget_older(job->file);
    int fd = open(job->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || close(fd) != 0)
        return error_set_system(error, "emptying %s failed", job->shown);
    return 0;
}

int finish_after_close(struct job *job)
{
    struct error error;
    int status = 0;
    if (stdio_finish(job->stdio, &error) != 0) {
        int code = finish_failed(job, error.message);
        return job->has_snapshot ? code : CKPTLUA_FAILED;
    }
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
