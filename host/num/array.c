#include "num/array.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "num/account.h"
#include "num/compute.h"
#include "num/sparse.h"

/* Registry: the userdata with struct arrays; the metatables. */
static const char arrays_key, array_key, small_key;

struct arrays {
    struct block_pool pool;
    const void *large, *small; /* the metatables, as lua_topointer tells them */
};

static struct arrays *arrays_of(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &arrays_key);
    struct arrays *arrays = lua_touserdata(L, -1);
    lua_pop(L, 1);
    return arrays;
}

struct block_pool *array_pool(lua_State *L)
{
    return &arrays_of(L)->pool;
}

static int arrays_collect(lua_State *L)
{
    struct arrays *arrays = lua_touserdata(L, 1);
    block_pool_empty(&arrays->pool);
    return 0;
}

static ptrdiff_t array_bytes(const struct array *array)
{
    return (ptrdiff_t)(array_count(array) * (int64_t)sizeof(double));
}

static void array_forget(lua_State *L, struct large *large)
{
    struct block_pool *pool = array_pool(L);
    for (int i = 0; i < large->pending.count; i++)
        block_release(pool, large->pending.terms[i].block);
    large->pending.count = 0;
    sparse_release(L, large->pending.matrix);
    large->pending.matrix = NULL;
}

static int array_collect(lua_State *L)
{
    struct large *large = lua_touserdata(L, 1);
    array_forget(L, large);
    block_release(array_pool(L), large->block);
    large->block = NULL;
    large->array.data = NULL;
    account_bytes(L, -array_bytes(&large->array));
    large->array.rows = large->array.cols = 0; /* a finalizer may still show it to the script */
    return 0;
}

void array_open(lua_State *L)
{
    struct arrays *arrays = lua_newuserdatauv(L, sizeof *arrays, 0);
    memset(arrays, 0, sizeof *arrays);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, arrays_collect);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &arrays_key);

    luaL_newmetatable(L, "num.array");
    lua_pushcfunction(L, array_collect);
    lua_setfield(L, -2, "__gc");
    arrays->large = lua_topointer(L, -1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
    luaL_newmetatable(L, "num.small");
    arrays->small = lua_topointer(L, -1);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &small_key);
}

static void array_check_shape(lua_State *L, int64_t rows, int64_t cols)
{
    if (rows < 0 || cols < 0 || (cols > 0 && rows > ARRAY_MOST / cols))
        luaL_error(L, "%Ix%I is no shape of an array", (lua_Integer)rows, (lua_Integer)cols);
}

static struct array *array_new_small(lua_State *L, int64_t rows, int64_t cols)
{
    struct array *array =
        lua_newuserdatauv(L, sizeof *array + (size_t)(rows * cols) * sizeof *array->data, 0);
    *array = (struct array){rows, cols, (double *)(array + 1)};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &small_key);
    lua_setmetatable(L, -2);
    return array;
}

/* Without elements. The bytes are counted last: that may collect garbage, and so must the finalizer
 * be able to give them back. */
static struct large *array_new_large(lua_State *L, int64_t rows, int64_t cols)
{
    struct large *large = lua_newuserdatauv(L, sizeof *large, 0);
    memset(large, 0, sizeof *large);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
    lua_setmetatable(L, -2);
    large->array.rows = rows;
    large->array.cols = cols;
    account_bytes(L, array_bytes(&large->array));
    return large;
}

void array_new_collected(lua_State *L)
{
    array_new_large(L, 0, 0);
}

struct block *array_block(lua_State *L, const struct array *array)
{
    struct block_pool *pool = array_pool(L);
    struct block *block = block_new(pool, (size_t)array_bytes(array));
    if (block == NULL) {
        lua_gc(L, LUA_GCCOLLECT); /* arrays that are garbage */
        block = block_new(pool, (size_t)array_bytes(array));
    }
    if (block == NULL)
        luaL_error(L, "no memory for an array of %Ix%I (%I bytes)", (lua_Integer)array->rows,
                   (lua_Integer)array->cols, (lua_Integer)array_bytes(array));
    return block;
}

struct array *array_new(lua_State *L, int64_t rows, int64_t cols)
{
    array_check_shape(L, rows, cols);
    if (rows * cols <= ARRAY_SMALL)
        return array_new_small(L, rows, cols);
    struct array *array = array_new_unfilled(L, rows, cols);
    array_fill(L, array);
    return array;
}

struct array *array_new_unfilled(lua_State *L, int64_t rows, int64_t cols)
{
    array_check_shape(L, rows, cols);
    return &array_new_large(L, rows, cols)->array;
}

void array_fill(lua_State *L, struct array *array)
{
    struct large *large = (struct large *)array;
    large->block = array_block(L, array);
    array->data = large->block->data;
}

struct array *array_new_pending(lua_State *L, int64_t rows, int64_t cols,
                                const struct pending *pending)
{
    struct large *large = array_new_large(L, rows, cols);
    large->pending = *pending;
    for (int i = 0; i < pending->count; i++)
        block_hold(pending->terms[i].block);
    sparse_hold(pending->matrix);
    return &large->array;
}

void *array_push_room(lua_State *L, int64_t count, size_t width)
{
    return lua_newuserdatauv(L, (size_t)count * width + 1, 0);
}

struct array *array_to(lua_State *L, int index)
{
    struct array *array = lua_touserdata(L, index);
    if (array == NULL || !lua_getmetatable(L, index))
        return NULL;
    const void *metatable = lua_topointer(L, -1);
    lua_pop(L, 1);
    const struct arrays *arrays = arrays_of(L);
    return metatable == arrays->large || metatable == arrays->small ? array : NULL;
}

struct array *array_check(lua_State *L, int index)
{
    struct array *array = array_to(L, index);
    if (array == NULL)
        luaL_typeerror(L, index, "num array");
    return array;
}

const struct pending *array_pending(const struct array *array)
{
    return array->data == NULL && array_is_large(array) ? &((const struct large *)array)->pending
                                                        : NULL;
}

void array_computed(lua_State *L, struct array *array, struct block *block)
{
    struct large *large = (struct large *)array;
    array_forget(L, large);
    large->block = block;
    array->data = block->data;
}

const double *array_data(lua_State *L, struct array *array)
{
    if (array_pending(array) != NULL)
        compute_array(L, array);
    return array->data;
}

double *array_edit(lua_State *L, struct array *array)
{
    const double *data = array_data(L, array);
    struct large *large = (struct large *)array;
    if (array_is_large(array) && large->block->holders > 1) {
        struct block *copy = array_block(L, array);
        memcpy(copy->data, data, (size_t)array_bytes(array));
        block_release(array_pool(L), large->block);
        large->block = copy;
        array->data = copy->data;
    }
    return array->data;
}

struct term array_term(lua_State *L, struct array *array)
{
    const struct pending *pending = array_pending(array);
    if (pending != NULL && pending->count == 1 && pending->matrix == NULL)
        return pending->terms[0];
    array_data(L, array);
    return (struct term){1, ((struct large *)array)->block};
}
