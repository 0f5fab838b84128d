#include "num/sparse.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "num/account.h"
#include "num/array.h"
#include "num/kernel.h"
#include "num/team.h"

/* Registry: the metatable. */
static const char sparse_key;

/* The userdata. */
struct sparse_value {
    struct sparse *sparse; /* held, or NULL */
    ptrdiff_t counted;     /* bytes that the collector knows of */
};

struct sparse *sparse_hold(struct sparse *sparse)
{
    if (sparse != NULL)
        sparse->holders++;
    return sparse;
}

void sparse_release(lua_State *L, struct sparse *sparse)
{
    struct block_pool *pool = sparse == NULL ? NULL : array_pool(L);
    while (sparse != NULL && --sparse->holders == 0) {
        struct sparse *transposed = sparse->transposed;
        block_release(pool, sparse->starts);
        block_release(pool, sparse->columns);
        block_release(pool, sparse->values);
        free(sparse);
        sparse = transposed;
    }
}

static void sparse_empty(lua_State *L, struct sparse_value *value)
{
    sparse_release(L, value->sparse);
    value->sparse = NULL;
    account_bytes(L, -value->counted);
    value->counted = 0;
}

static int sparse_collect(lua_State *L)
{
    sparse_empty(L, lua_touserdata(L, 1));
    return 0;
}

void sparse_drop(lua_State *L)
{
    sparse_empty(L, lua_touserdata(L, -1));
    lua_pop(L, 1);
}

void sparse_open(lua_State *L)
{
    luaL_newmetatable(L, "num.sparse");
    lua_pushcfunction(L, sparse_collect);
    lua_setfield(L, -2, "__gc");
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &sparse_key);
}

static ptrdiff_t sparse_bytes(int64_t rows, int64_t count)
{
    return (ptrdiff_t)((rows + 1) * (int64_t)sizeof(int64_t) +
                       count * (int64_t)(sizeof(int32_t) + sizeof(double)));
}

static struct sparse_value *sparse_push_value(lua_State *L, ptrdiff_t bytes)
{
    struct sparse_value *value = lua_newuserdatauv(L, sizeof *value, 0);
    *value = (struct sparse_value){NULL, 0};
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sparse_key);
    lua_setmetatable(L, -2);
    value->counted = bytes;
    account_bytes(L, bytes);
    return value;
}

void sparse_push_collected(lua_State *L)
{
    sparse_push_value(L, 0);
}

void sparse_push_same(lua_State *L, struct sparse *sparse)
{
    sparse_push_value(L, sparse_bytes(sparse->rows, sparse->count))->sparse = sparse_hold(sparse);
}

size_t sparse_block_width(int number)
{
    return number == 1 ? sizeof(int32_t) : sizeof(double);
}

size_t sparse_block_size(const struct sparse *sparse, int number)
{
    int64_t count = number == 0 ? sparse->rows + 1 : sparse->count;
    return (size_t)count * sparse_block_width(number);
}

void *sparse_fill(lua_State *L, struct sparse *sparse, int number)
{
    struct block **const blocks[] = {&sparse->starts, &sparse->columns, &sparse->values};
    size_t size = sparse_block_size(sparse, number);
    struct block *block = block_new(array_pool(L), size);
    if (block == NULL)
        luaL_error(L, "no memory for a sparse matrix (%I bytes)", (lua_Integer)size);
    *blocks[number] = block;
    if (number == 0)
        sparse->start = block->data;
    else if (number == 1)
        sparse->column = block->data;
    else
        sparse->value = block->data;
    return block->data;
}

void sparse_check_shape(lua_State *L, int64_t rows, int64_t cols)
{
    if (rows < 0 || cols < 0 || rows > SPARSE_MOST || cols > SPARSE_MOST)
        luaL_error(L, "a sparse matrix of %Ix%I cannot be made: at most %I rows and columns",
                   (lua_Integer)rows, (lua_Integer)cols, (lua_Integer)SPARSE_MOST);
}

struct sparse *sparse_push_unfilled(lua_State *L, int64_t rows, int64_t cols, int64_t count)
{
    sparse_check_shape(L, rows, cols);
    struct sparse_value *owner = sparse_push_value(L, sparse_bytes(rows, count));
    struct sparse *sparse = calloc(1, sizeof *sparse);
    if (sparse == NULL)
        luaL_error(L, "no memory for a sparse matrix");
    owner->sparse = sparse;
    sparse->holders = 1;
    sparse->rows = rows;
    sparse->cols = cols;
    sparse->count = count;
    return sparse;
}

struct sparse *sparse_push(lua_State *L, int64_t rows, int64_t cols, int64_t count)
{
    struct sparse *sparse = sparse_push_unfilled(L, rows, cols, count);
    for (int number = 0; number < 3; number++)
        sparse_fill(L, sparse, number);
    return sparse;
}

static struct sparse_value *sparse_value_at(lua_State *L, int index)
{
    struct sparse_value *value = lua_touserdata(L, index);
    if (value == NULL || !lua_getmetatable(L, index))
        return NULL;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &sparse_key);
    int is_one = lua_rawequal(L, -1, -2);
    lua_pop(L, 2);
    return is_one && value->sparse != NULL ? value : NULL;
}

struct sparse *sparse_to(lua_State *L, int index)
{
    struct sparse_value *value = sparse_value_at(L, index);
    return value == NULL ? NULL : value->sparse;
}

struct sparse *sparse_check(lua_State *L, int index)
{
    struct sparse *sparse = sparse_to(L, index);
    if (sparse == NULL)
        luaL_typeerror(L, index, "num.sparse");
    return sparse;
}

static void sparse_copy(struct sparse *to, const struct sparse *from)
{
    memcpy(to->start, from->start, (size_t)(from->rows + 1) * sizeof *from->start);
    memcpy(to->column, from->column, (size_t)from->count * sizeof *from->column);
    memcpy(to->value, from->value, (size_t)from->count * sizeof *from->value);
}

struct sparse *sparse_push_copy(lua_State *L, const struct sparse *sparse)
{
    struct sparse *copy = sparse_push(L, sparse->rows, sparse->cols, sparse->count);
    sparse_copy(copy, sparse);
    return copy;
}

void sparse_exchange(lua_State *L, int index)
{
    struct sparse_value *value = sparse_value_at(L, index), *other = lua_touserdata(L, -1);
    struct sparse_value was = *value;
    *value = *other;
    *other = was;
    sparse_drop(L);
}

struct sparse *sparse_edit(lua_State *L, int index)
{
    struct sparse *sparse = sparse_to(L, index);
    if (sparse->holders > 1) {
        sparse_push_copy(L, sparse);
        sparse_exchange(L, index);
        return sparse_to(L, index);
    }
    sparse_release(L, sparse->transposed);
    sparse->transposed = NULL;
    return sparse;
}

int64_t sparse_find(const struct sparse *sparse, int64_t row, int64_t column)
{
    int64_t low = sparse->start[row], high = sparse->start[row + 1];
    while (low < high) {
        int64_t middle = low + (high - low) / 2;
        if (sparse->column[middle] < column)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sparse->start[row + 1] && sparse->column[low] == column ? low : -1;
}

/* Counts in start[i + 1] become starts in start[i + 1]; a place for an element of row i is taken by
 * start[i + 1]++ then, so that at the end each is where it should be. */
static void sparse_starts(int64_t *start, int64_t rows)
{
    int64_t sum = 0;
    start[0] = 0;
    for (int64_t i = 1; i <= rows; i++) {
        int64_t count = start[i];
        start[i] = sum;
        sum += count;
    }
}

/* to = transposed(from). Rows are gone through in their order, so columns of `to` ascend. */
static void sparse_transpose(struct sparse *to, const struct sparse *from)
{
    memset(to->start, 0, (size_t)(to->rows + 1) * sizeof *to->start);
    for (int64_t k = 0; k < from->count; k++)
        to->start[from->column[k] + 1]++;
    sparse_starts(to->start, to->rows);
    for (int64_t row = 0; row < from->rows; row++)
        for (int64_t k = from->start[row]; k < from->start[row + 1]; k++) {
            int64_t at = to->start[from->column[k] + 1]++;
            to->column[at] = (int32_t)row;
            to->value[at] = from->value[k];
        }
}

const struct sparse *sparse_push_transposed(lua_State *L, const struct sparse *sparse)
{
    if (sparse->transposed != NULL) {
        sparse_push_same(L, sparse->transposed);
        return sparse->transposed;
    }
    struct sparse *transposed = sparse_push(L, sparse->cols, sparse->rows, sparse->count);
    sparse_transpose(transposed, sparse);
    return transposed;
}

struct sparse *sparse_transposed(lua_State *L, struct sparse *sparse)
{
    if (sparse->transposed == NULL) {
        sparse_push_transposed(L, sparse);
        sparse->transposed = sparse_hold(sparse_to(L, -1));
        lua_pop(L, 1);
    }
    return sparse->transposed;
}

/* Elements of one place, which lie side by side, become their sum; zeros are left out. */
static void sparse_add_up(struct sparse *sparse)
{
    int64_t to = 0, next = 0;
    for (int64_t row = 0; row < sparse->rows; row++) {
        int64_t last = sparse->start[row + 1];
        sparse->start[row] = to;
        while (next < last) {
            int32_t column = sparse->column[next];
            double sum = sparse->value[next++];
            while (next < last && sparse->column[next] == column)
                sum += sparse->value[next++];
            if (sum != 0) {
                sparse->column[to] = column;
                sparse->value[to++] = sum;
            }
        }
    }
    sparse->start[sparse->rows] = to;
    sparse->count = to;
}

struct sparse *sparse_push_triplets(lua_State *L, int64_t rows, int64_t cols,
                                    const struct triplets *triplets)
{
    int64_t count = triplets->count;
    struct sparse *sparse = sparse_push(L, rows, cols, count);
    struct sparse *by_column = sparse_push(L, cols, rows, count);
    memset(by_column->start, 0, (size_t)(cols + 1) * sizeof *by_column->start);
    for (int64_t k = 0; k < count; k++)
        by_column->start[triplets->column[k] + 1]++;
    sparse_starts(by_column->start, cols);
    for (int64_t k = 0; k < count; k++) {
        int64_t at = by_column->start[triplets->column[k] + 1]++;
        by_column->column[at] = triplets->row[k];
        by_column->value[at] = triplets->value[k];
    }
    sparse_transpose(sparse, by_column);
    sparse_drop(L);
    sparse_add_up(sparse);
    return sparse;
}

void sparse_multiply_rows(const struct sparse *sparse, double *to, const double *x, int64_t first,
                          int64_t last)
{
    kernel_rows(to, first, last, sparse->start, sparse->column, sparse->value, x);
}

/* A product row by row: what the threads take at once. */
enum { SPARSE_ROWS = 256 };

struct multiply {
    const struct sparse *sparse;
    double *to;
    const double *x;
};

static void multiply_work(void *context, int64_t i)
{
    const struct multiply *multiply = context;
    int64_t first = i * SPARSE_ROWS, last = first + SPARSE_ROWS;
    if (last > multiply->sparse->rows)
        last = multiply->sparse->rows;
    sparse_multiply_rows(multiply->sparse, multiply->to, multiply->x, first, last);
}

void sparse_multiply(const struct sparse *sparse, double *to, const double *x)
{
    struct multiply multiply = {.sparse = sparse, .x = x};
    multiply.to = to;
    team_run((sparse->rows + SPARSE_ROWS - 1) / SPARSE_ROWS, sparse->count > 1 << 15, multiply_work,
             &multiply);
}
