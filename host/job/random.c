#include "job/random.h"

#include <string.h>
#include <time.h>

#include <lauxlib.h>
#include <lualib.h>

enum { RANDOM_SIZE = 32 };

static const char random_key; /* registry: the userdata */

double random_clock(const struct job *job)
{
    return job->clock_before + (double)clock() / CLOCKS_PER_SEC;
}

static int random_os_clock(lua_State *L)
{
    lua_pushnumber(L, random_clock(host_job(L)));
    return 1;
}

/* Pushes the first upvalue of math[name], or nil. */
static void random_push_upvalue(lua_State *L, const char *name)
{
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, name);
    lua_remove(L, -2);
    if (!lua_iscfunction(L, -1) || lua_getupvalue(L, -1, 2) != NULL ||
        lua_getupvalue(L, -1, 1) == NULL)
        lua_pushnil(L);
    lua_remove(L, -2);
}

void random_open(lua_State *L)
{
    int top = lua_gettop(L);
    random_push_upvalue(L, "random");
    random_push_upvalue(L, "randomseed");
    if (lua_type(L, -1) != LUA_TUSERDATA || lua_rawlen(L, -1) != RANDOM_SIZE ||
        !lua_rawequal(L, -1, -2))
        luaL_error(L, "this Lua keeps the state of math.random in an unknown way");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &random_key);
    lua_getglobal(L, LUA_OSLIBNAME);
    lua_pushcfunction(L, random_os_clock);
    lua_setfield(L, -2, "clock");
    lua_settop(L, top);
}

void random_seed(lua_State *L, int64_t seed)
{
    lua_getglobal(L, LUA_MATHLIBNAME);
    lua_getfield(L, -1, "randomseed");
    lua_pushinteger(L, seed);
    lua_call(L, 1, 0);
    lua_pop(L, 1);
}

void random_push(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &random_key);
    lua_pushlstring(L, lua_touserdata(L, -1), RANDOM_SIZE);
    lua_remove(L, -2);
}

void random_set(lua_State *L, int index)
{
    size_t size;
    const char *data = lua_tolstring(L, index, &size);
    if (data == NULL || size != RANDOM_SIZE)
        luaL_error(L, "the state of math.random is not in it");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &random_key);
    memcpy(lua_touserdata(L, -1), data, RANDOM_SIZE);
    lua_pop(L, 1);
}
