/*
 * The operators of arrays and sparse matrices: +, -, *, /, unary -.
 */
#ifndef CKPTLUA_NUM_ARITHMETIC_H
#define CKPTLUA_NUM_ARITHMETIC_H

#include <lua.h>

int arithmetic_add(lua_State *L);
int arithmetic_subtract(lua_State *L);
int arithmetic_negate(lua_State *L);
int arithmetic_multiply(lua_State *L);
int arithmetic_divide(lua_State *L);

#endif
