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
