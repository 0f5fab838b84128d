#include "num/snapshots.h"

#include <string.h>

#include <lauxlib.h>

#include "ckptlua.h"
#include "num/array.h"
#include "num/sparse.h"

#pragma weak ckptlua_register

/* Numbers of 8 bytes, the lowest byte first. */
static void snapshots_put(luaL_Buffer *buffer, const void *numbers, int64_t count)
{
    const unsigned char *from = numbers;
    for (int64_t i = 0; i < count; i++, from += 8) {
        uint64_t word;
        memcpy(&word, from, sizeof word);
        for (int shift = 0; shift < 64; shift += 8)
            luaL_addchar(buffer, (char)(word >> shift));
    }
}

/* Takes `count` of them from the bytes, of which there are just as many. */
static void snapshots_take(lua_State *L, const char *data, size_t size, void *numbers,
                           int64_t count)
{
    const unsigned char *bytes = (const unsigned char *)data;
    unsigned char *to = numbers;
    if (size != (size_t)count * 8)
        luaL_error(L, "an array in the snapshot has another size than it says");
    for (int64_t i = 0; i < count; i++, bytes += 8, to += 8) {
        uint64_t word = 0;
        for (int k = 7; k >= 0; k--)
            word = word << 8 | bytes[k];
        memcpy(to, &word, sizeof word);
    }
}

/* ---- small arrays: rows, columns, elements column by column */

static void snapshots_save_small(lua_State *L, int index)
{
    luaL_Buffer buffer;
    struct array *array = array_check(L, index);
    int64_t shape[2] = {array->rows, array->cols};
    luaL_buffinit(L, &buffer);
    snapshots_put(&buffer, shape, 2);
    snapshots_put(&buffer, array->data, array_count(array));
    luaL_pushresult(&buffer);
}

static void snapshots_load_small(lua_State *L, const char *data, size_t size)
{
    int64_t shape[2];
    snapshots_take(L, data, size < sizeof shape ? size : sizeof shape, shape, 2);
    if (shape[0] < 0 || shape[1] < 0 || (shape[1] > 0 && shape[0] > ARRAY_SMALL / shape[1]))
        luaL_error(L, "an array in the snapshot has no shape of its type");
    struct array *array = array_new(L, shape[0], shape[1]);
    snapshots_take(L, data + sizeof shape, size - sizeof shape, array->data, array_count(array));
}

/* ---- others: rows, columns; and the elements as a block. 0x0: it has been collected. */

static void snapshots_save_array(lua_State *L, int index)
{
    luaL_Buffer buffer;
    struct array *array = array_check(L, index);
    int64_t shape[2] = {array->rows, array->cols};
    array_data(L, array);
    luaL_buffinit(L, &buffer);
    snapshots_put(&buffer, shape, 2);
    luaL_pushresult(&buffer);
}

static int snapshots_save_array_block(lua_State *L, int index, int number, ckptlua_block *block)
{
    struct array *array = lua_touserdata(L, index);
    if (number > 0 || array->data == NULL)
        return 0;
    *block = (ckptlua_block){array->data, (size_t)array_count(array) * sizeof *array->data,
                             sizeof *array->data};
    return 1;
}

static void snapshots_load_array(lua_State *L, const char *data, size_t size)
{
    int64_t shape[2];
    snapshots_take(L, data, size, shape, 2);
    if (shape[0] < 0 || shape[1] < 0 || (shape[1] > 0 && shape[0] > ARRAY_MOST / shape[1]) ||
        ((shape[0] | shape[1]) != 0 && shape[0] * shape[1] <= ARRAY_SMALL))
        luaL_error(L, "an array in the snapshot has no shape of its type");
    array_new_unfilled(L, shape[0], shape[1]);
}

static void snapshots_load_array_block(lua_State *L, int index, int number, ckptlua_block *block)
{
    struct array *array = lua_touserdata(L, index);
    if (number > 0 || array_count(array) == 0 || block->width != sizeof *array->data ||
        block->size != (size_t)array_count(array) * sizeof *array->data)
        luaL_error(L, "an array in the snapshot has another size than it says");
    array_fill(L, array);
    block->data = array->data;
}

static void snapshots_loaded_array(lua_State *L, int index)
{
    const struct array *array = lua_touserdata(L, index);
    if (array->data == NULL && array_count(array) > 0)
        luaL_error(L, "an array in the snapshot has no elements");
}

/* ---- sparse matrices: rows, columns, number of elements; and the three blocks. Nothing of one
 * that was collected. */

static void snapshots_save_sparse(lua_State *L, int index)
{
    luaL_Buffer buffer;
    const struct sparse *sparse = sparse_to(L, index);
    luaL_buffinit(L, &buffer);
    if (sparse != NULL) {
        int64_t shape[3] = {sparse->rows, sparse->cols, sparse->count};
        snapshots_put(&buffer, shape, 3);
    }
    luaL_pushresult(&buffer);
}

static int snapshots_save_sparse_block(lua_State *L, int index, int number, ckptlua_block *block)
{
    struct sparse *sparse = sparse_to(L, index);
    if (sparse == NULL || number > 2)
        return 0;
    void *const data[] = {sparse->start, sparse->column, sparse->value};
    *block = (ckptlua_block){data[number], sparse_block_size(sparse, number),
                             (int)sparse_block_width(number)};
    return 1;
}

static void snapshots_load_sparse(lua_State *L, const char *data, size_t size)
{
    int64_t shape[3];
    if (size == 0) {
        sparse_push_collected(L);
        return;
    }
    snapshots_take(L, data, size, shape, 3);
    if (shape[0] < 0 || shape[0] > SPARSE_MOST || shape[1] < 0 || shape[1] > SPARSE_MOST ||
        shape[2] < 0 || shape[2] > ARRAY_MOST / 2)
        luaL_error(L, "a sparse matrix in the snapshot has no shape");
    sparse_push_unfilled(L, shape[0], shape[1], shape[2]);
}

static void snapshots_load_sparse_block(lua_State *L, int index, int number, ckptlua_block *block)
{
    struct sparse *sparse = sparse_to(L, index);
    if (sparse == NULL || number > 2 || block->width != (int)sparse_block_width(number) ||
        block->size != sparse_block_size(sparse, number))
        luaL_error(L, "a sparse matrix in the snapshot has another size than it says");
    block->data = sparse_fill(L, sparse, number);
}

/* Whether starts and columns are what sparse.h says of them. */
static int snapshots_is_sparse(const struct sparse *sparse)
{
    if (sparse->start == NULL || sparse->column == NULL || sparse->value == NULL ||
        sparse->start[0] != 0 || sparse->start[sparse->rows] != sparse->count)
        return 0;
    for (int64_t row = 0; row < sparse->rows; row++)
        if (sparse->start[row + 1] < sparse->start[row] || sparse->start[row + 1] > sparse->count)
            return 0;
    for (int64_t row = 0; row < sparse->rows; row++) {
        int64_t last = -1;
        for (int64_t k = sparse->start[row]; k < sparse->start[row + 1]; k++) {
            if (sparse->column[k] <= last || sparse->column[k] >= sparse->cols)
                return 0;
            last = sparse->column[k];
        }
    }
    return 1;
}

static void snapshots_loaded_sparse(lua_State *L, int index)
{
    const struct sparse *sparse = sparse_to(L, index);
    if (sparse != NULL && !snapshots_is_sparse(sparse))
        luaL_error(L, "a sparse matrix in the snapshot has elements outside of it");
}

void snapshots_open(lua_State *L)
{
    static const ckptlua_type types[] = {
        {.name = "num.small", .save = snapshots_save_small, .load = snapshots_load_small},
        {"num.array", snapshots_save_array, snapshots_load_array, snapshots_save_array_block,
         snapshots_load_array_block, snapshots_loaded_array},
        {"num.sparse", snapshots_save_sparse, snapshots_load_sparse, snapshots_save_sparse_block,
         snapshots_load_sparse_block, snapshots_loaded_sparse},
    };
    for (size_t i = 0; ckptlua_register != NULL && i < sizeof types / sizeof *types; i++)
        ckptlua_register(L, &types[i]);
}
