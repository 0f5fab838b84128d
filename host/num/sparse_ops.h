/*
 * Sparse matrices added and multiplied, and what converts them to full ones and back.
 */
#ifndef CKPTLUA_NUM_SPARSE_OPS_H
#define CKPTLUA_NUM_SPARSE_OPS_H

#include <lua.h>

#include "num/operand.h"

/* Pushes x + sign * y; both have the same shape. Sums of 0 are left out. */
void sparse_ops_push_sum(lua_State *L, const struct sparse *x, double sign, const struct sparse *y);

/* Pushes x + sign * y as a full array, one of them being sparse and the other full. */
void sparse_ops_push_full_sum(lua_State *L, const struct operand *x, double sign,
                              const struct operand *y);

/* Pushes x * y. Each element is added up in the order of the columns of x. */
void sparse_ops_push_product(lua_State *L, const struct sparse *x, const struct sparse *y);

/* Whether the elements are the same as those of the other matrix, or at `full`, of the same shape.
 */
int sparse_ops_are_equal(const struct sparse *x, const struct sparse *y);
int sparse_ops_is_full(const struct sparse *sparse, const double *full);

/* Pushes the part of these rows and columns, numbers from 0, in that order; a number may come
 * twice. */
void sparse_ops_push_part(lua_State *L, const struct sparse *sparse, const int64_t *row,
                          int64_t rows, const int64_t *column, int64_t cols);

/* Adds num.sparse, speye, full, triplets, nnz, nonzeros, kron and others to the table on top of the
 * stack. */
void sparse_ops_open(lua_State *L);

#endif
