#include "job/host.h"

static const char host_key; /* registry: light userdata struct job */

struct job *host_job(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &host_key);
    struct job *job = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return job;
}

void host_set_job(lua_State *L, struct job *job)
{
    lua_pushlightuserdata(L, job);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &host_key);
}

struct host_apart host_begin_apart(struct job *job)
{
    struct host_apart before = {0};
    if (job != NULL) {
        before = (struct host_apart){job->apart, job->in_hook};
        job->apart = job->in_hook = 1;
    }
    return before;
}

void host_end_apart(struct job *job, struct host_apart before)
{
    if (job == NULL)
        return;
    job->apart = before.apart;
    job->in_hook = before.in_hook;
}
