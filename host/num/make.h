/*
 * New arrays: zeros, ones, eye, rand, randn, linspace, range, ..., and new shapes of given ones.
 */
#ifndef CKPTLUA_NUM_MAKE_H
#define CKPTLUA_NUM_MAKE_H

#include <lua.h>

/* Adds them to the table on top of the stack. */
void make_open(lua_State *L);

/* Metamethod __eq. */
int make_is_same(lua_State *L);

#endif
