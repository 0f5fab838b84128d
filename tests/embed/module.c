/*
 * A Lua module in C, linked with nothing: the program has to offer what it calls.
 */
#include <lauxlib.h>

int luaopen_module(lua_State *L);
int luaopen_module(lua_State *L)
{
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    luaL_addstring(&buffer, "from a module");
    luaL_pushresult(&buffer);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &buffer);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &buffer);
    return 1;
}
