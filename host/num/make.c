#include "num/make.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "num/lines.h"
#include "num/operand.h"
#include "num/random.h"
#include "num/sparse_ops.h"

struct shape {
    int64_t rows, cols;
};

static int64_t make_extent(lua_State *L, int index)
{
    lua_Integer n = luaL_checkinteger(L, index);
    luaL_argcheck(L, n >= 0, index, "a number of rows or columns is not negative");
    return n;
}

/* (n): n x n, as in MATLAB; (m, n) */
static struct shape make_shape(lua_State *L, int index)
{
    struct shape shape;
    shape.rows = make_extent(L, index);
    shape.cols = lua_isnoneornil(L, index + 1) ? shape.rows : make_extent(L, index + 1);
    return shape;
}

static struct array *make_filled(lua_State *L, double value)
{
    struct shape shape = make_shape(L, 1);
    struct array *array = array_new(L, shape.rows, shape.cols);
    for (int64_t i = 0; i < array_count(array); i++)
        array->data[i] = value;
    return array;
}

/* num.zeros(m [, n]) */
static int make_zeros(lua_State *L)
{
    make_filled(L, 0);
    return 1;
}

/* num.ones(m [, n]) */
static int make_ones(lua_State *L)
{
    make_filled(L, 1);
    return 1;
}

/* num.fill(value, m [, n]) */
static int make_fill(lua_State *L)
{
    double value = luaL_checknumber(L, 1);
    lua_remove(L, 1);
    make_filled(L, value);
    return 1;
}

/* num.eye(m [, n]) */
static int make_eye(lua_State *L)
{
    struct array *array = make_filled(L, 0);
    for (int64_t i = 0; i < array->rows && i < array->cols; i++)
        array->data[i + i * array->rows] = 1;
    return 1;
}

/* A random number; `most` is of integers only. */
typedef double make_draw(uint64_t *state, double most);

/* Pushes one where argument `index` is left out, or an array of them, of the shape that begins
 * there.
 */
static int make_random(lua_State *L, int index, make_draw *draw, double most)
{
    uint64_t *state = random_state(L);
    if (lua_isnoneornil(L, index)) {
        lua_pushnumber(L, draw(state, most));
        return 1;
    }
    struct shape shape = make_shape(L, index);
    struct array *array = array_new(L, shape.rows, shape.cols);
    for (int64_t i = 0; i < array_count(array); i++)
        array->data[i] = draw(state, most);
    return 1;
}

static double make_draw_float(uint64_t *state, double most)
{
    (void)most;
    return random_float(state);
}

static double make_draw_normal(uint64_t *state, double most)
{
    (void)most;
    return random_normal(state);
}

static double make_draw_integer(uint64_t *state, double most)
{
    return (double)random_integer(state, (uint64_t)most - 1) + 1;
}

/* num.rand(), num.rand(m [, n]): from 0 to 1, without 1; the numbers that math.random() gives */
static int make_rand(lua_State *L)
{
    return make_random(L, 1, make_draw_float, 0);
}

/* num.randn(), num.randn(m [, n]): normally distributed */
static int make_randn(lua_State *L)
{
    return make_random(L, 1, make_draw_normal, 0);
}

/* num.randi(most [, m [, n]]): integers from 1 to most */
static int make_randi(lua_State *L)
{
    lua_Integer most = luaL_checkinteger(L, 1);
    luaL_argcheck(L, most >= 1 && most <= (lua_Integer)1 << 53, 1, "an integer from 1 to 2^53");
    return make_random(L, 2, make_draw_integer, (double)most);
}

/* num.randperm(n): a row with 1 to n in random order */
static int make_randperm(lua_State *L)
{
    int64_t n = make_extent(L, 1);
    uint64_t *state = random_state(L);
    double *to = array_new(L, 1, n)->data;
    for (int64_t i = 0; i < n; i++) {
        int64_t other = (int64_t)random_integer(state, (uint64_t)i);
        to[i] = to[other];
        to[other] = (double)(i + 1);
    }
    return 1;
}

/* num.linspace(first, last [, n = 100]): a row; the last element is just `last` */
static int make_linspace(lua_State *L)
{
    double first = luaL_checknumber(L, 1), last = luaL_checknumber(L, 2);
    int64_t n = lua_isnoneornil(L, 3) ? 100 : make_extent(L, 3);
    luaL_argcheck(L, n >= 1, 3, "at least one element");
    double *to = array_new(L, 1, n)->data, step = (last - first) / (double)(n - 1);
    for (int64_t i = 0; i < n; i++)
        to[i] = first + (double)i * step;
    to[n - 1] = last;
    return 1;
}

/* num.range(first, last [, step = 1]): the row first:step:last */
static int make_range(lua_State *L)
{
    double first = luaL_checknumber(L, 1), last = luaL_checknumber(L, 2),
           step = luaL_optnumber(L, 3, 1);
    luaL_argcheck(L, step != 0 && isfinite(step), 3, "a step that is not 0");
    double steps = floor((last - first) / step * (1 + 0x1p-52));
    luaL_argcheck(L, steps < (double)ARRAY_MOST, 2, "too many elements, or not a number");
    int64_t n = steps < 0 ? 0 : (int64_t)steps + 1;
    double *to = array_new(L, 1, n)->data;
    for (int64_t i = 0; i < n; i++)
        to[i] = first + (double)i * step;
    return 1;
}

/* Pushes a copy of the elements in another shape. */
static void make_push_copy(lua_State *L, struct array *x, int64_t rows, int64_t cols)
{
    const double *from = array_data(L, x);
    double *to = array_new(L, rows, cols)->data;
    memcpy(to, from, (size_t)array_count(x) * sizeof *to);
}

/* num.copy(x) */
static int make_copy(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    if (x.kind == OPERAND_SPARSE)
        sparse_push_copy(L, x.sparse);
    else
        make_push_copy(L, array_check(L, 1), x.rows, x.cols);
    return 1;
}

/* num.reshape(x, m, n): m or n may be nil */
static int make_reshape(lua_State *L)
{
    struct array *x = array_check(L, 1);
    int64_t count = array_count(x);
    int64_t rows = lua_isnoneornil(L, 2) ? -1 : make_extent(L, 2);
    int64_t cols = lua_isnoneornil(L, 3) ? -1 : make_extent(L, 3);
    if (rows < 0)
        rows = cols > 0 ? count / cols : 0;
    else if (cols < 0)
        cols = rows > 0 ? count / rows : 0;
    if (cols < 0 || (cols > 0 && rows > ARRAY_MOST / cols) || rows * cols != count)
        return luaL_error(L, "num.reshape: %Ix%I has %I elements, which do not fill %Ix%I",
                          (lua_Integer)x->rows, (lua_Integer)x->cols, (lua_Integer)count,
                          (lua_Integer)rows, (lua_Integer)cols);
    make_push_copy(L, x, rows, cols);
    return 1;
}

/* num.repmat(x, m [, n]) */
static int make_repmat(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    luaL_argcheck(L, x.kind != OPERAND_SPARSE, 1, "a number or a full matrix expected");
    struct shape times = make_shape(L, 2);
    const double *from = x.kind == OPERAND_ARRAY ? array_data(L, x.array) : &x.number;
    if ((x.rows > 0 && times.rows > ARRAY_MOST / x.rows) ||
        (x.cols > 0 && times.cols > ARRAY_MOST / x.cols))
        return luaL_error(L, "num.repmat: too many elements");
    int64_t rows = x.rows * times.rows;
    struct array *to = array_new(L, rows, x.cols * times.cols);
    for (int64_t j = 0; j < to->cols; j++)
        for (int64_t i = 0; i < times.rows; i++)
            memcpy(to->data + j * rows + i * x.rows, from + j % x.cols * x.rows,
                   (size_t)x.rows * sizeof *from);
    return 1;
}

/* Blocks of 8 x 8, so that lines of the cache are used whole. */
static void make_transpose(double *to, const double *from, int64_t rows, int64_t cols)
{
    enum { SIDE = 8 };
    for (int64_t j = 0; j < cols; j += SIDE)
        for (int64_t i = 0; i < rows; i += SIDE)
            for (int64_t l = j; l < j + SIDE && l < cols; l++)
                for (int64_t k = i; k < i + SIDE && k < rows; k++)
                    to[l + k * cols] = from[k + l * rows];
}

static int make_transposed(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    if (x.kind == OPERAND_SPARSE) {
        sparse_push_same(L, sparse_transposed(L, x.sparse));
        return 1;
    }
    struct array *array = array_check(L, 1);
    const double *from = array_data(L, array);
    double *to = array_new(L, array->cols, array->rows)->data;
    make_transpose(to, from, array->rows, array->cols);
    return 1;
}

/* num.diag(v): the matrix with v on its diagonal; num.diag(A): the diagonal as a column */
static int make_diag(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    int64_t n = x.rows < x.cols ? x.rows : x.cols;
    if (x.kind == OPERAND_SPARSE) {
        double *to = array_new(L, n, 1)->data;
        for (int64_t i = 0; i < n; i++) {
            int64_t at = sparse_find(x.sparse, i, i);
            to[i] = at < 0 ? 0 : x.sparse->value[at];
        }
        return 1;
    }
    struct array *array = array_check(L, 1);
    const double *from = array_data(L, array);
    if (!array_is_vector(array)) {
        double *to = array_new(L, n, 1)->data;
        for (int64_t i = 0; i < n; i++)
            to[i] = from[i + i * x.rows];
        return 1;
    }
    n = array_count(array);
    struct array *to = array_new(L, n, n);
    memset(to->data, 0, (size_t)array_count(to) * sizeof *to->data);
    for (int64_t i = 0; i < n; i++)
        to->data[i + i * n] = from[i];
    return 1;
}

/* num.size(x) -> rows, columns; num.size(x, dimension) */
static int make_size(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    if (!lua_isnoneornil(L, 2)) {
        lua_pushinteger(L, lines_dimension(L, 2, x.rows) == 1 ? x.rows : x.cols);
        return 1;
    }
    lua_pushinteger(L, x.rows);
    lua_pushinteger(L, x.cols);
    return 2;
}

static int make_are_equal(lua_State *L, const struct operand *x, const struct operand *y)
{
    if (x->rows != y->rows || x->cols != y->cols)
        return 0;
    if (x->kind == OPERAND_SPARSE && y->kind == OPERAND_SPARSE)
        return sparse_ops_are_equal(x->sparse, y->sparse);
    if (x->kind == OPERAND_SPARSE)
        return sparse_ops_is_full(x->sparse, operand_data(L, y));
    if (y->kind == OPERAND_SPARSE)
        return sparse_ops_is_full(y->sparse, operand_data(L, x));
    const double *one = operand_data(L, x), *other = operand_data(L, y);
    for (int64_t i = 0; i < x->rows * x->cols; i++)
        if (one[i] != other[i])
            return 0;
    return 1;
}

/* num.isequal(x, y, ...): the same shapes and values; a NaN is equal to nothing */
static int make_is_equal(lua_State *L)
{
    int is_equal = 1;
    struct operand x = operand_check(L, 1);
    for (int k = 2; k <= lua_gettop(L); k++) {
        struct operand y = operand_check(L, k);
        is_equal = is_equal && make_are_equal(L, &x, &y);
    }
    lua_pushboolean(L, is_equal);
    return 1;
}

int make_is_same(lua_State *L)
{
    lua_settop(L, 2);
    return make_is_equal(L);
}

void make_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"zeros", make_zeros},   {"ones", make_ones},         {"fill", make_fill},
        {"eye", make_eye},       {"rand", make_rand},         {"randn", make_randn},
        {"randi", make_randi},   {"randperm", make_randperm}, {"linspace", make_linspace},
        {"range", make_range},   {"copy", make_copy},         {"reshape", make_reshape},
        {"repmat", make_repmat}, {"t", make_transposed},      {"diag", make_diag},
        {"size", make_size},     {"isequal", make_is_equal},  {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
