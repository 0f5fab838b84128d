/*
 * Elements: x[i], x[i] = v, #x, A:get(i, j), A:set(i, j, v), A:sub(rows, columns), and conversion
 * to and from tables. Indices count from 1; one index alone counts column by column.
 */
#ifndef CKPTLUA_NUM_ACCESS_H
#define CKPTLUA_NUM_ACCESS_H

#include <lua.h>

/* Metamethods __index, whose upvalue is the table of functions, and __newindex, __len. */
int access_index(lua_State *L);
int access_set_index(lua_State *L);
int access_length(lua_State *L);

/* Adds the functions to the table on top of the stack. */
void access_open(lua_State *L);

#endif
