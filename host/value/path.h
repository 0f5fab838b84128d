/*
 * Where in the script's values one of them is, for messages: "state.conn", "list[3].name",
 * "x.<metatable>.__index", "local 'conn' (job.lua:12, in function
 * 'poll')", "field host of upvalue 'conn' of function (job.lua:30)". Of a very long one the middle
 * is left out. Searched for only when something is to be said about it.
 */
#ifndef CKPTLUA_VALUE_PATH_H
#define CKPTLUA_VALUE_PATH_H

#include <lua.h>

#include "value/code.h"

/* What is searched: the table at index `root`, whose name is left out of the path; objects that are
 * keys of the table at `skip` are not entered, unless it is nowhere else. With `code`, functions
 * and coroutines are entered too where it is not in tables alone, and the table at `more` is
 * another root then, if that is not 0. */
struct path_places {
    int root, more, skip;
    const struct code_writer *code; /* or NULL */
};

/* Pushes the shortest path to the value at index `target`; "a value" where it is not found. */
void path_push(lua_State *L, const struct path_places *places, int target);

#endif
