/*
 * What print shows: the shape, and a corner of the values.
 */
#ifndef CKPTLUA_NUM_SHOW_H
#define CKPTLUA_NUM_SHOW_H

#include <lua.h>

/* Metamethod __tostring. */
int show_text(lua_State *L);

/* Pushes "vector 5", "matrix 2x3", "sparse matrix 3x3, 5 nonzeros" for the value at index. */
void show_push_shape(lua_State *L, int index);

/* Adds num.describe to the table on top of the stack. */
void show_open(lua_State *L);

#endif
