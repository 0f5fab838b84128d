/*
 * Functions that are applied to each element: num.sqrt(x), num.times(x, y), num.lt(x, y), ...
 */
#ifndef CKPTLUA_NUM_MAP_H
#define CKPTLUA_NUM_MAP_H

#include <lua.h>

#include "num/operand.h"

/* Adds them to the table on top of the stack. */
void map_open(lua_State *L);

/* Pushes x + sign * y, one of which is a number and the other an array. */
void map_push_shifted(lua_State *L, const struct operand *x, double sign, const struct operand *y);

/* Pushes the array divided by a number. */
void map_push_divided(lua_State *L, struct array *x, double divisor);

/* Pushes the larger, or smaller, of each two elements: of x and y, no sparse ones. */
void map_push_extreme(lua_State *L, int largest, const struct operand *x, const struct operand *y);

#endif
