#include "exact/closures.h"

#include <lauxlib.h>

/* Stack indices: {C function without upvalues -> the same with one, table -> true}, and the list of
 * tables that are to be gone through. */
struct closures {
    int known, tables;
    lua_Integer count;
};

static void closures_add(lua_State *L, struct closures *closures, int table)
{
    lua_pushvalue(L, table);
    if (lua_rawget(L, closures->known) == LUA_TNIL) {
        lua_pushvalue(L, table);
        lua_pushboolean(L, 1);
        lua_rawset(L, closures->known);
        lua_pushvalue(L, table);
        lua_rawseti(L, closures->tables, ++closures->count);
    }
    lua_pop(L, 1);
}

static int closures_has_upvalues(lua_State *L, int index)
{
    if (lua_getupvalue(L, index, 1) == NULL)
        return 0;
    lua_pop(L, 1);
    return 1;
}

/* Puts a function with an upvalue in the place of the value on top if that is one without, and
 * returns 1. */
static int closures_replace(lua_State *L, const struct closures *closures)
{
    int value = lua_gettop(L);
    if (!lua_iscfunction(L, value) || closures_has_upvalues(L, value))
        return 0;
    lua_pushvalue(L, value);
    if (lua_rawget(L, closures->known) == LUA_TNIL) {
        lua_pushboolean(L, 1);
        lua_pushcclosure(L, lua_tocfunction(L, value), 1);
        lua_replace(L, value + 1);
        lua_pushvalue(L, value);
        lua_pushvalue(L, value + 1);
        lua_rawset(L, closures->known);
    }
    lua_replace(L, value);
    return 1;
}

/* What hangs on the value on top: that of pairs is next, which is an upvalue. */
static void closures_look_into(lua_State *L, struct closures *closures)
{
    int value = lua_gettop(L);
    if (lua_type(L, value) == LUA_TTABLE)
        closures_add(L, closures, value);
    for (int i = 1; lua_iscfunction(L, value) && lua_getupvalue(L, value, i) != NULL; i++) {
        if (closures_replace(L, closures))
            lua_setupvalue(L, value, i);
        lua_settop(L, value);
    }
}

static void closures_go_through(lua_State *L, struct closures *closures, int table)
{
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (closures_replace(L, closures)) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, table);
        } else {
            closures_look_into(L, closures);
        }
    }
    if (lua_getmetatable(L, table))
        closures_add(L, closures, lua_gettop(L));
    lua_settop(L, table);
}

void closures_open(lua_State *L)
{
    int top = lua_gettop(L);
    luaL_checkstack(L, 20, NULL);
    lua_createtable(L, 0, 256);
    lua_createtable(L, 64, 0);
    struct closures closures = {top + 1, top + 2, 0};
    lua_pushglobaltable(L);
    closures_add(L, &closures, top + 3);
    if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE)
        closures_add(L, &closures, top + 4);
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1))
        closures_add(L, &closures, lua_gettop(L));
    lua_settop(L, top + 2);
    for (lua_Integer i = 1; i <= closures.count; i++) {
        lua_rawgeti(L, closures.tables, i);
        closures_go_through(L, &closures, top + 3);
        lua_settop(L, top + 2);
    }
    lua_settop(L, top);
}
