#include "num/snapshots.h"

#include <string.h>

#include <lauxlib.h>

#include "ckptlua.h"
#include "num/array.h"
#include "num/sparse.h"

#pragma weak ckptlua_register

/* Numbers as they are on disk: the lowest byte first. `to` and `from` may be the same. */
static void snapshots_order(void *to, const void *from, size_t count, size_t width)
{
    if (to != from)
        memcpy(to, from, count * width);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    unsigned char *bytes = to;
    for (size_t i = 0; i < count; i++, bytes += width)
        for (size_t k = 0; k < width / 2; k++) {
            unsigned char byte = bytes[k];
            bytes[k] = bytes[width - 1 - k];
            bytes[width - 1 - k] = byte;
        }
#else
    (void)count;
    (void)width;
#endif
}

/* Appends numbers to the bytes at *at. */
static void snapshots_put(char **at, const void *from, int64_t count, size_t width)
{
    snapshots_order(*at, from, (size_t)count, width);
    *at += (size_t)count * width;
}

/* What is left of the bytes of a userdata. */
struct bytes_left {
    const char *at;
    size_t size;
};

/* Takes numbers from the bytes; raises where there are not enough. */
static void snapshots_take(lua_State *L, struct bytes_left *left, void *to, int64_t count,
                           size_t width)
{
    if (count < 0 || (uint64_t)count > left->size / width)
        luaL_error(L, "an array in the snapshot is shorter than it says");
    snapshots_order(to, left->at, (size_t)count, width);
    left->at += (size_t)count * width;
    left->size -= (size_t)count * width;
}

static void snapshots_end(lua_State *L, const struct bytes_left *left)
{
    if (left->size != 0)
        luaL_error(L, "an array in the snapshot is longer than it says");
}

/* rows, columns, elements column by column */
static void snapshots_save_array(lua_State *L, int index)
{
    struct array *array = array_check(L, index);
    const double *data = array_data(L, array);
    int64_t shape[2] = {array->rows, array->cols}, count = array_count(array);
    luaL_Buffer buffer;
    size_t size = sizeof shape + (size_t)count * sizeof *data;
    char *start = luaL_buffinitsize(L, &buffer, size), *at = start;
    snapshots_put(&at, shape, 2, sizeof *shape);
    snapshots_put(&at, data, count, sizeof *data);
    luaL_pushresultsize(&buffer, size);
}

/* Takes a shape, of a matrix whose elements may be no more than the bytes there are. */
static void snapshots_take_shape(lua_State *L, struct bytes_left *left, int64_t shape[2])
{
    snapshots_take(L, left, shape, 2, sizeof *shape);
    if (shape[0] < 0 || shape[1] < 0)
        luaL_error(L, "an array in the snapshot has no shape");
}

static void snapshots_load_array(lua_State *L, const char *data, size_t size, int is_small)
{
    struct bytes_left left = {data, size};
    int64_t shape[2];
    snapshots_take_shape(L, &left, shape);
    if (shape[1] > 0 && (uint64_t)shape[0] > left.size / sizeof(double) / (uint64_t)shape[1])
        luaL_error(L, "an array in the snapshot is shorter than it says");
    if (!is_small && shape[0] == 0 && shape[1] == 0) {
        array_new_collected(L);
        snapshots_end(L, &left);
        return;
    }
    if (is_small != (shape[0] * shape[1] <= ARRAY_SMALL))
        luaL_error(L, "an array in the snapshot has another size than its type");
    struct array *array = array_new(L, shape[0], shape[1]);
    snapshots_take(L, &left, array->data, array_count(array), sizeof *array->data);
    snapshots_end(L, &left);
}

static void snapshots_load_large(lua_State *L, const char *data, size_t size)
{
    snapshots_load_array(L, data, size, 0);
}

static void snapshots_load_small(lua_State *L, const char *data, size_t size)
{
    snapshots_load_array(L, data, size, 1);
}

/* rows, columns, number of elements, starts, columns, values; nothing of one that was collected */
static void snapshots_save_sparse(lua_State *L, int index)
{
    const struct sparse *sparse = sparse_to(L, index);
    if (sparse == NULL) {
        lua_pushliteral(L, "");
        return;
    }
    int64_t shape[3] = {sparse->rows, sparse->cols, sparse->count};
    size_t size = sizeof shape + (size_t)(sparse->rows + 1) * sizeof *sparse->start +
                  (size_t)sparse->count * (sizeof *sparse->column + sizeof *sparse->value);
    luaL_Buffer buffer;
    char *start = luaL_buffinitsize(L, &buffer, size), *at = start;
    snapshots_put(&at, shape, 3, sizeof *shape);
    snapshots_put(&at, sparse->start, sparse->rows + 1, sizeof *sparse->start);
    snapshots_put(&at, sparse->column, sparse->count, sizeof *sparse->column);
    snapshots_put(&at, sparse->value, sparse->count, sizeof *sparse->value);
    luaL_pushresultsize(&buffer, size);
}

/* Whether starts and columns are what sparse.h says of them. */
static int snapshots_is_sparse(const struct sparse *sparse)
{
    if (sparse->start[0] != 0 || sparse->start[sparse->rows] != sparse->count)
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

static void snapshots_load_sparse(lua_State *L, const char *data, size_t size)
{
    struct bytes_left left = {data, size};
    int64_t shape[2], count;
    if (size == 0) {
        sparse_push_collected(L);
        return;
    }
    snapshots_take_shape(L, &left, shape);
    snapshots_take(L, &left, &count, 1, sizeof count);
    if (count < 0 || shape[0] > SPARSE_MOST ||
        left.size / sizeof(int64_t) < (uint64_t)shape[0] + 1 ||
        (uint64_t)count > left.size / (sizeof(int32_t) + sizeof(double)))
        luaL_error(L, "a sparse matrix in the snapshot is shorter than it says");
    struct sparse *sparse = sparse_push(L, shape[0], shape[1], count);
    snapshots_take(L, &left, sparse->start, sparse->rows + 1, sizeof *sparse->start);
    snapshots_take(L, &left, sparse->column, count, sizeof *sparse->column);
    snapshots_take(L, &left, sparse->value, count, sizeof *sparse->value);
    snapshots_end(L, &left);
    if (!snapshots_is_sparse(sparse))
        luaL_error(L, "a sparse matrix in the snapshot has elements outside of it");
}

void snapshots_open(lua_State *L)
{
    static const ckptlua_type types[] = {
        {"num.array", snapshots_save_array, snapshots_load_large},
        {"num.small", snapshots_save_array, snapshots_load_small},
        {"num.sparse", snapshots_save_sparse, snapshots_load_sparse},
    };
    for (size_t i = 0; ckptlua_register != NULL && i < sizeof types / sizeof *types; i++)
        ckptlua_register(L, &types[i]);
}
