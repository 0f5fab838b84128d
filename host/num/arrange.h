/*
 * Elements found, sorted, and put into new matrices: find, sort, kron, tril, triu, horzcat,
 * vertcat.
 */
#ifndef CKPTLUA_NUM_ARRANGE_H
#define CKPTLUA_NUM_ARRANGE_H

#include <lua.h>

/* Adds them to the table on top of the stack. */
void arrange_open(lua_State *L);

/* Metamethod __concat. */
int arrange_concat(lua_State *L);

#endif
