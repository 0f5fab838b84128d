/*
 * Sparse matrices: compressed rows. Row i (from 0) has the elements at start[i] to start[i + 1] - 1
 * of column and value; columns (from 0) ascend within a row, none is there twice, and no value is 0
 * unless the script has set it so. 12 bytes an element and 8 a row.
 *
 * Rows, not columns as MATLAB has them: then A*x, what iterative solvers do most, writes each
 * element of the result once, and threads can share the rows. At:t()*x is as fast: the transposed
 * matrix is made at the first A:t(), and kept beside.
 */
#ifndef CKPTLUA_NUM_SPARSE_H
#define CKPTLUA_NUM_SPARSE_H

#include <stdint.h>

#include <lua.h>

#include "num/block.h"
#include "num/triplets.h"

/* The most rows or columns. */
#define SPARSE_MOST ((int64_t)INT32_MAX)

/* The matrix itself, which several values of the script may hold; see array.h on holders. */
struct sparse {
    size_t holders;
    int64_t rows, cols, count; /* count: elements that are stored */
    int64_t *start;
    int32_t *column;
    double *value;
    struct block *starts, *columns, *values; /* held */
    struct sparse *transposed;               /* held, or NULL */
};

/* Makes the metatable and pushes it. Once per state. */
void sparse_open(lua_State *L);

/* One holder more, or less. NULL is fine. */
struct sparse *sparse_hold(struct sparse *sparse);
void sparse_release(lua_State *L, struct sparse *sparse);

static inline int64_t sparse_count(const struct sparse *sparse)
{
    return sparse->count;
}

/* Pushes a new value, with room for `count` elements, to be filled. */
struct sparse *sparse_push(lua_State *L, int64_t rows, int64_t cols, int64_t count);

/* Pushes a value with a matrix of its own, the same as this one. */
struct sparse *sparse_push_copy(lua_State *L, const struct sparse *sparse);

/* Pops the value on top, which nobody has seen yet, and frees it. */
void sparse_drop(lua_State *L);

/* Pushes a new value without memory for its elements, which nobody may look at before sparse_fill
 * has been called for each of the three blocks: 0 start, 1 column, 2 value. It returns where that
 * is; *size is its size in bytes. */
struct sparse *sparse_push_unfilled(lua_State *L, int64_t rows, int64_t cols, int64_t count);
void *sparse_fill(lua_State *L, struct sparse *sparse, int number);

/* Bytes of a block, and of the numbers in it. */
size_t sparse_block_size(const struct sparse *sparse, int number);
size_t sparse_block_width(int number);

/* The value at index and the new one on top, which is popped, exchange their matrices. */
void sparse_exchange(lua_State *L, int index);

/* Pushes what is left of one when it has been collected; see array.h. */
void sparse_push_collected(lua_State *L);

/* Pushes a value that shares this matrix. */
void sparse_push_same(lua_State *L, struct sparse *sparse);

/* The matrix at index, or NULL if it is none; raises if it is none. */
struct sparse *sparse_to(lua_State *L, int index);
struct sparse *sparse_check(lua_State *L, int index);

/* The matrix of the value at index, which nobody else has, without a transposed one. */
struct sparse *sparse_edit(lua_State *L, int index);

/* Raises if there can be no matrix of that shape. */
void sparse_check_shape(lua_State *L, int64_t rows, int64_t cols);

/* Pushes the matrix of triplets, whose rows and columns are within the shape; those of the same
 * place are added in the order in which they come, sums of 0 left out. */
struct sparse *sparse_push_triplets(lua_State *L, int64_t rows, int64_t cols,
                                    const struct triplets *triplets);

/* The transposed matrix, held by this one from now on. Or pushed, and not kept. */
struct sparse *sparse_transposed(lua_State *L, struct sparse *sparse);
const struct sparse *sparse_push_transposed(lua_State *L, const struct sparse *sparse);

/* The place of an element in value, or -1 where it is not stored. Indices from 0. */
int64_t sparse_find(const struct sparse *sparse, int64_t row, int64_t column);

/* to = matrix * x; all rows, or those from first to last - 1 by this thread. */
void sparse_multiply(const struct sparse *sparse, double *to, const double *x);
void sparse_multiply_rows(const struct sparse *sparse, double *to, const double *x, int64_t first,
                          int64_t last);

#endif
