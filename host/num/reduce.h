/*
 * What is computed of all elements, or along columns or rows: dot, norm, sum, max, sort, find, ...
 */
#ifndef CKPTLUA_NUM_REDUCE_H
#define CKPTLUA_NUM_REDUCE_H

#include <lua.h>

/* Adds them to the table on top of the stack. */
void reduce_open(lua_State *L);

#endif
