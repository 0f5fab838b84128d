/*
 * Products of matrices.
 */
#ifndef CKPTLUA_NUM_PRODUCT_H
#define CKPTLUA_NUM_PRODUCT_H

#include <lua.h>

#include "num/operand.h"

/* Pushes x * y, neither of which is a number; x has as many columns as y has rows. A result of 1x1
 * is pushed as a number. Each element is added up in an order that depends on the shapes only. */
void product_push(lua_State *L, const struct operand *x, const struct operand *y);

#endif
