#include "exact/hook.h"

#include <lauxlib.h>
#include <lualib.h>

/* debug.sethook; upvalues: the host's data, the stock function */
static int hook_lua_sethook(lua_State *L)
{
    const struct exact *exact = lua_touserdata(L, lua_upvalueindex(1));
    if (exact->keeps_texts == EXACT_ALL_TEXTS)
        return luaL_error(L,
                          "debug.sethook cannot be used with --resume exact, which needs the hook "
                          "itself; use --resume globals");
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
}

void hook_open(lua_State *L, struct exact *exact)
{
    lua_getglobal(L, LUA_DBLIBNAME);
    lua_pushlightuserdata(L, exact);
    lua_getfield(L, -2, "sethook");
    lua_pushcclosure(L, hook_lua_sethook, 2);
    lua_setfield(L, -2, "sethook");
    lua_pop(L, 1);
}

static void hook_set(struct exact *exact, int instructions)
{
    lua_sethook(exact->current, exact->hook, LUA_MASKCOUNT, instructions);
}

void hook_arm(struct exact *exact)
{
    hook_set(exact, 1); /* a larger count would begin anew at each change of threads */
}

void hook_request(struct exact *exact)
{
    exact->armed = 1;
    hook_set(exact, 1);
}

void hook_relax(struct exact *exact, int instructions)
{
    exact->armed = 1;
    hook_set(exact, instructions);
}

void hook_disarm(struct exact *exact, lua_State *L)
{
    exact->armed = 0;
    lua_sethook(L, NULL, 0, 0);
}
