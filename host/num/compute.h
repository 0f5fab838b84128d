/*
 * Passes over the elements of arrays, in chunks of KERNEL_CHUNK that threads share. A sum is that
 * of the chunks' sums, in their order, so that it has the same bits whatever the number of threads.
 */
#ifndef CKPTLUA_NUM_COMPUTE_H
#define CKPTLUA_NUM_COMPUTE_H

#include <lua.h>

#include "num/array.h"

/* Computes the elements of an array that are pending. */
void compute_array(lua_State *L, struct array *array);

/* What is summed up. */
enum compute_sum {
    COMPUTE_DOT,      /* x[i] * y[i] */
    COMPUTE_TOTAL,    /* x[i] */
    COMPUTE_ABSOLUTE, /* |x[i]| */
    COMPUTE_SQUARES   /* (factor * x[i])^2 */
};

/* The sum over all elements. If those of x or y are pending, they are computed in the same pass. y
 * is NULL but for COMPUTE_DOT, where it has as many elements as x. */
double compute_sum(lua_State *L, enum compute_sum kind, double factor, struct array *x,
                   struct array *y);

#endif
