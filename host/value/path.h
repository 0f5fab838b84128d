/*
 * Where in the script's values one of them is, for messages: "state.conn", "list[3].name",
 * "x.<metatable>.__index". Searched for only when something is to be said about it.
 */
#ifndef CKPTLUA_VALUE_PATH_H
#define CKPTLUA_VALUE_PATH_H

#include <lua.h>

/* Pushes the shortest path to the value at index `target`, searching from the table at index
 * `root`, whose name is left out of the path, and returns 1; or returns 0: it is not found. Objects
 * that are keys of the table `skip` are not entered, unless it is nowhere else. Upvalues of
 * functions and local variables of coroutines are looked at too: "t.f.<upvalue x>", "local 'x'
 * (job.lua:12).name". */
int path_push(lua_State *L, int root, int target, int skip);

#endif
