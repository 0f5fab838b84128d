/*
 * A Lua module in C, linked with nothing: the program has to offer what it calls.
 */
#include <ckptlua.h>
#include <lauxlib.h>
#include <string.h>

/* A userdata with a number: its type is known to snapshots as module.box. */
static const char box_name[] = "module.box";

static int box_new(lua_State *L)
{
    double number = luaL_checknumber(L, 1);
    double *box = lua_newuserdatauv(L, sizeof *box, 0);
    *box = number;
    luaL_setmetatable(L, box_name);
    return 1;
}

static int box_call(lua_State *L)
{
    const double *box = luaL_checkudata(L, 1, box_name);
    lua_pushnumber(L, *box);
    return 1;
}

static void box_save(lua_State *L, int index)
{
    lua_pushlstring(L, lua_touserdata(L, index), sizeof(double));
}

static void box_load(lua_State *L, const char *data, size_t size)
{
    double number = 0;
    if (size == sizeof number)
        memcpy(&number, data, size);
    lua_pushcfunction(L, box_new);
    lua_pushnumber(L, number);
    lua_call(L, 1, 1);
}

int luaopen_module(lua_State *L);
int luaopen_module(lua_State *L)
{
    static const ckptlua_type type = {.name = box_name, .save = box_save, .load = box_load};
    luaL_newmetatable(L, box_name);
    lua_pushcfunction(L, box_call);
    lua_setfield(L, -2, "__call");
    ckptlua_register(L, &type);
    lua_newtable(L);
    lua_pushcfunction(L, box_new);
    lua_setfield(L, -2, "box");
    return 1;
}
