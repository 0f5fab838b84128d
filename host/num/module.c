/*
 * The module num, as Lua loads it: num.so, by require "num". It runs under plain lua5.4 too, where
 * nothing is saved.
 */
#include <lauxlib.h>

#include "num/access.h"
#include "num/arithmetic.h"
#include "num/arrange.h"
#include "num/array.h"
#include "num/files.h"
#include "num/gallery.h"
#include "num/make.h"
#include "num/map.h"
#include "num/random.h"
#include "num/reduce.h"
#include "num/show.h"
#include "num/snapshots.h"
#include "num/sparse.h"
#include "num/sparse_ops.h"
#include "num/team.h"

__attribute__((visibility("default"))) int luaopen_num(lua_State *L);

/* num.threads([n]) -> number of threads that work on large arrays */
static int module_threads(lua_State *L)
{
    if (!lua_isnoneornil(L, 1)) {
        lua_Integer threads = luaL_checkinteger(L, 1);
        luaL_argcheck(L, threads >= 1 && threads <= 1024, 1, "a number of threads expected");
        team_set_threads((int)threads);
    }
    lua_pushinteger(L, team_threads());
    return 1;
}

static const char module_key; /* registry: the table of all functions */

/* The metatable on top gets what all kinds of arrays have. Pops it. */
static void module_set_methods(lua_State *L, int functions)
{
    static const luaL_Reg methods[] = {
        {"__add", arithmetic_add},
        {"__sub", arithmetic_subtract},
        {"__unm", arithmetic_negate},
        {"__mul", arithmetic_multiply},
        {"__div", arithmetic_divide},
        {"__concat", arrange_concat},
        {"__eq", make_is_same},
        {"__len", access_length},
        {"__newindex", access_set_index},
        {"__tostring", show_text},
        {NULL, NULL},
    };
    luaL_setfuncs(L, methods, 0);
    lua_pushvalue(L, functions);
    lua_pushcclosure(L, access_index, 1);
    lua_setfield(L, -2, "__index");
    lua_pushboolean(L, 0);
    lua_setfield(L, -2, "__metatable"); /* a script must not change it: all arrays have it */
    lua_pop(L, 1);
}

/* Pushes the table of all functions: num.f(x, ...) is x:f(...). */
static void module_make(lua_State *L)
{
    team_open();
    random_open(L);
    lua_newtable(L);
    int functions = lua_gettop(L);
    access_open(L);
    arrange_open(L);
    make_open(L);
    map_open(L);
    reduce_open(L);
    show_open(L);
    sparse_ops_open(L);
    gallery_open(L);
    files_open(L);
    lua_pushcfunction(L, module_threads);
    lua_setfield(L, functions, "threads");
    array_open(L);
    module_set_methods(L, functions);
    module_set_methods(L, functions);
    sparse_open(L);
    module_set_methods(L, functions);
    snapshots_open(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
}

/* The module is a copy of the methods: what a script does to it changes no method. Called again, as
 * by a continued job, it gives another copy. */
int luaopen_num(lua_State *L)
{
    luaL_checkversion(L);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key) != LUA_TTABLE) {
        lua_pop(L, 1);
        module_make(L);
    }
    lua_newtable(L);
    for (lua_pushnil(L); lua_next(L, -3) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, -4);
    }
    return 1;
}
