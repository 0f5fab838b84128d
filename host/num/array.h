/*
 * Real matrices as Lua values: full userdata with rows * cols elements of type double, column by
 * column as in MATLAB. A vector is a matrix with one column, or one row. A matrix may have no
 * elements (0x0, 0x3).
 *
 * Values are computed when they are needed: t*y, x + t*y and A*y are noted down (struct pending),
 * and computed by the first function that wants the elements, in one pass over memory, together
 * with what that function does where it can be (dot, norm). Shapes are checked at once. Each
 * operation rounds as if it were done alone, so the results have the same bits either way. What is
 * noted down holds its operands as they were: a script that changes an element afterwards changes a
 * copy.
 *
 * Bytes are counted with the Lua collector (ckptlua_allocated) when an array is made, not when it
 * is computed, and given back when it is collected: a save computes what is pending, and must not
 * change the moment of a collection.
 */
#ifndef CKPTLUA_NUM_ARRAY_H
#define CKPTLUA_NUM_ARRAY_H

#include <stdint.h>

#include <lua.h>

#include "num/block.h"

/* Arrays of up to this many elements have them in the userdata, and nothing of them is pending. */
enum { ARRAY_SMALL = 64 };

/* The most elements of an array: their bytes fit an int64_t. */
#define ARRAY_MOST ((int64_t)1 << 59)

/* A factor and what it is applied to. data is the block's. */
struct term {
    double factor;
    struct block *block; /* held */
};

struct sparse;

/* How the elements of an array are to be computed: sum of terms, or matrix * terms[0].block. */
struct pending {
    int count; /* of terms: 1 or 2 */
    struct term terms[2];
    struct sparse *matrix; /* held; NULL: a sum */
};

struct array {
    int64_t rows, cols;
    double *data; /* NULL: pending */
};

/* One of more than ARRAY_SMALL elements. */
struct large {
    struct array array;
    struct block *block; /* NULL: pending */
    struct pending pending;
};

/* Makes the two metatables, of small arrays and of others, and pushes them. They are without
 * methods yet. Once per state. */
void array_open(lua_State *L);

/* The pool of the state's blocks. */
struct block_pool *array_pool(lua_State *L);

static inline int64_t array_count(const struct array *array)
{
    return array->rows * array->cols;
}

static inline int array_is_vector(const struct array *array)
{
    return array->rows == 1 || array->cols == 1;
}

/* Pushes a new one, whose elements are whatever they are. Raises where there is no memory for it,
 * or the shape is none. */
struct array *array_new(lua_State *L, int64_t rows, int64_t cols);

/* Pushes a new one whose elements are to be computed so. It is large. Holds the blocks. */
struct array *array_new_pending(lua_State *L, int64_t rows, int64_t cols,
                                const struct pending *pending);

/* Pushes a new large one without memory for its elements, which nobody may look at before
 * array_fill has given it some. */
struct array *array_new_unfilled(lua_State *L, int64_t rows, int64_t cols);
void array_fill(lua_State *L, struct array *array);

/* Pushes what is left of a large one when it has been collected: it has no elements. A weak key may
 * still present it to the script, and to a save. */
void array_new_collected(lua_State *L);

/* Pushes a userdata with room for `count` numbers of that width, for a function's own use. */
void *array_push_room(lua_State *L, int64_t count, size_t width);

/* The array at index, or NULL if it is none; raises if it is none. */
struct array *array_to(lua_State *L, int index);
struct array *array_check(lua_State *L, int index);

/* The elements to be read. Computes them if they are pending. */
const double *array_data(lua_State *L, struct array *array);

/* The elements to be written: nobody else has them. */
double *array_edit(lua_State *L, struct array *array);

/* The large array as a term: what is pending, if that is one term; else itself times 1, computed if
 * need be. Holds nothing. */
struct term array_term(lua_State *L, struct array *array);

/* What is pending, or NULL. */
const struct pending *array_pending(const struct array *array);

/* What is pending has been computed into `block`, which the array holds from now on. */
void array_computed(lua_State *L, struct array *array, struct block *block);

/* A new block for the elements of an array; raises when out of memory. */
struct block *array_block(lua_State *L, const struct array *array);

/* Whether an array of that many elements is a large one. */
static inline int array_is_large(const struct array *array)
{
    return array_count(array) > ARRAY_SMALL;
}

#endif
