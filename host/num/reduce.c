#include "num/reduce.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include <lauxlib.h>

#include "num/compute.h"
#include "num/kernel.h"
#include "num/lines.h"
#include "num/map.h"
#include "num/operand.h"

/* num.dot(x, y): of vectors of the same length, or of all elements of matrices of the same shape.
 */
static int reduce_dot(lua_State *L)
{
    struct operand x, y;
    operand_check_two(L, &x, &y);
    if (x.kind == OPERAND_NUMBER && y.kind == OPERAND_NUMBER) {
        lua_pushnumber(L, x.number * y.number);
        return 1;
    }
    struct array *one = array_check(L, 1), *other = array_check(L, 2);
    int are_vectors = array_is_vector(one) && array_is_vector(other);
    if (array_count(one) != array_count(other))
        operand_mismatch(L, "num.dot", &x, &y, "both must have the same number of elements");
    if (!are_vectors)
        operand_same_shape(L, "num.dot", &x, &y);
    lua_pushnumber(L, compute_sum(L, COMPUTE_DOT, 1, one, other));
    return 1;
}

/* The larger one; a NaN stays. */
static double reduce_larger(double largest, double value)
{
    return isnan(largest) || value <= largest ? largest : value;
}

static double reduce_largest(const double *x, int64_t n)
{
    double largest = 0;
    for (int64_t i = 0; i < n; i++)
        largest = reduce_larger(largest, fabs(x[i]));
    return largest;
}

/* The square root of the sum of squares. They overflow, or lose bits, where elements are very large
 * or very small: then these are divided by a power of 2 first, which changes no bit of them. */
static double reduce_length(lua_State *L, struct array *x)
{
    double sum = compute_sum(L, COMPUTE_SQUARES, 1, x, NULL);
    if (sum >= DBL_MIN / DBL_EPSILON && sum <= DBL_MAX)
        return sqrt(sum);
    double largest = reduce_largest(array_data(L, x), array_count(x));
    if (largest == 0 || !isfinite(largest))
        return largest;
    int exponent;
    frexp(largest, &exponent);
    if (exponent < -1021)
        exponent = -1021; /* or the factor would be infinite */
    return ldexp(sqrt(compute_sum(L, COMPUTE_SQUARES, ldexp(1, -exponent), x, NULL)), exponent);
}

static double reduce_absolute(struct line line)
{
    double sum = 0;
    for (int64_t k = 0; k < line.count; k++)
        sum += fabs(line.x[k * line.step]);
    return sum;
}

/* The largest sum of |x| of a column; or of a row. */
static double reduce_largest_sum(lua_State *L, struct array *x, int of_rows)
{
    struct lines lines = lines_along(L, x, of_rows ? 2 : 1);
    double largest = 0;
    for (int64_t i = 0; i < lines.count; i++)
        largest = reduce_larger(largest, reduce_absolute(lines_get(&lines, i)));
    return largest;
}

/* Pushes a value, and returns its matrix: of the rows, or columns, of a matrix as its rows. */
static const struct sparse *reduce_push_by(lua_State *L, struct sparse *sparse, int rows)
{
    if (!rows)
        return sparse_push_transposed(L, sparse);
    sparse_push_same(L, sparse);
    return sparse;
}

/* The same of a sparse matrix. */
static double reduce_largest_sum_sparse(lua_State *L, struct sparse *sparse, int of_rows)
{
    const struct sparse *by_row = reduce_push_by(L, sparse, of_rows);
    double largest = 0;
    for (int64_t i = 0; i < by_row->rows; i++) {
        struct line row = {by_row->value + by_row->start[i],
                           by_row->start[i + 1] - by_row->start[i], 1};
        largest = reduce_larger(largest, reduce_absolute(row));
    }
    lua_pop(L, 1);
    return largest;
}

static double reduce_vector_norm(lua_State *L, struct array *x, double p)
{
    const double *data = array_data(L, x);
    int64_t n = array_count(x);
    if (p == 1)
        return compute_sum(L, COMPUTE_ABSOLUTE, 1, x, NULL);
    double largest = reduce_largest(data, n);
    if (isinf(p) && p > 0)
        return largest;
    if (isinf(p)) {
        double smallest = isnan(largest) ? largest : INFINITY;
        for (int64_t i = 0; i < n; i++)
            smallest = fabs(data[i]) < smallest ? fabs(data[i]) : smallest;
        return n == 0 ? 0 : smallest;
    }
    if (largest == 0 || !isfinite(largest))
        return largest;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += pow(fabs(data[i]) / largest, p);
    return largest * pow(sum, 1 / p);
}

/* The p of num.norm(x, p); *is_frobenius for "fro". */
static double reduce_norm_kind(lua_State *L, int *is_frobenius)
{
    *is_frobenius = 0;
    if (lua_type(L, 2) == LUA_TSTRING) {
        const char *text = lua_tostring(L, 2);
        if (strcmp(text, "inf") == 0)
            return INFINITY;
        luaL_argcheck(L, strcmp(text, "fro") == 0, 2, "a number, \"fro\" or \"inf\" expected");
        *is_frobenius = 1;
        return 2;
    }
    double p = luaL_optnumber(L, 2, 2);
    luaL_argcheck(L, p > 0 || (isinf(p) && p < 0), 2, "a norm's p is above 0");
    return p;
}

/* num.norm(x [, p]) */
static int reduce_norm(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    int is_frobenius;
    double p = reduce_norm_kind(L, &is_frobenius), norm;
    if (x.kind == OPERAND_NUMBER) {
        norm = fabs(x.number);
    } else if (x.kind == OPERAND_ARRAY && array_is_vector(x.array)) {
        norm = p == 2 ? reduce_length(L, x.array) : reduce_vector_norm(L, x.array, p);
    } else if (is_frobenius && x.kind == OPERAND_ARRAY) {
        norm = reduce_length(L, x.array);
    } else if (is_frobenius) {
        struct array values = {x.sparse->count, 1, x.sparse->value};
        norm = reduce_length(L, &values);
    } else if (p == 1 || (isinf(p) && p > 0)) {
        norm = x.kind == OPERAND_ARRAY ? reduce_largest_sum(L, x.array, p != 1)
                                       : reduce_largest_sum_sparse(L, x.sparse, p != 1);
    } else {
        return luaL_argerror(L, 2, "of a matrix there are 1, \"inf\" and \"fro\"");
    }
    lua_pushnumber(L, norm);
    return 1;
}

/* Whether the result along a dimension is one number. */
static int reduce_is_single(const struct operand *x, int dimension)
{
    return (dimension == 1 ? x->cols : x->rows) == 1;
}

static double reduce_total(const double *x, int64_t n)
{
    double sum = 0;
    for (int64_t at = 0; at < n; at += KERNEL_CHUNK)
        sum += kernel_total(x + at, n - at < KERNEL_CHUNK ? n - at : KERNEL_CHUNK);
    return sum;
}

static void reduce_push_sums(lua_State *L, struct array *x, int dimension)
{
    struct lines lines = lines_along(L, x, dimension);
    double *to = lines_push_results(L, &lines);
    if (dimension == 1) {
        for (int64_t j = 0; j < lines.count; j++)
            to[j] = reduce_total(lines_get(&lines, j).x, x->rows);
        return;
    }
    memset(to, 0, (size_t)x->rows * sizeof *to);
    for (int64_t j = 0; j < x->cols; j++) /* as memory lies */
        kernel_sum(to, 1, to, 1, lines.data + j * x->rows, x->rows);
}

static void reduce_push_sums_sparse(lua_State *L, struct sparse *sparse, int dimension)
{
    const struct sparse *by_row = reduce_push_by(L, sparse, dimension == 2);
    double *to =
        dimension == 2 ? array_new(L, sparse->rows, 1)->data : array_new(L, 1, sparse->cols)->data;
    for (int64_t i = 0; i < by_row->rows; i++)
        to[i] =
            reduce_total(by_row->value + by_row->start[i], by_row->start[i + 1] - by_row->start[i]);
    lua_remove(L, -2);
}

/* Pushes the sums along a dimension, a number where there is but one. */
static void reduce_push_sum(lua_State *L, const struct operand *x, int dimension)
{
    if (x->kind == OPERAND_NUMBER) {
        lua_pushnumber(L, x->number);
    } else if (x->kind == OPERAND_ARRAY && reduce_is_single(x, dimension)) {
        lua_pushnumber(L, compute_sum(L, COMPUTE_TOTAL, 1, x->array, NULL));
    } else {
        if (x->kind == OPERAND_ARRAY)
            reduce_push_sums(L, x->array, dimension);
        else
            reduce_push_sums_sparse(L, x->sparse, dimension);
        if (reduce_is_single(x, dimension)) {
            lua_pushnumber(L, *array_data(L, array_check(L, -1)));
            lua_remove(L, -2);
        }
    }
}

/* num.sum(x [, dimension]) */
static int reduce_sum(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    reduce_push_sum(L, &x, lines_dimension(L, 2, x.rows));
    return 1;
}

/* num.mean(x [, dimension]) */
static int reduce_mean(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    int dimension = lines_dimension(L, 2, x.rows);
    double count = (double)(dimension == 1 ? x.rows : x.cols);
    reduce_push_sum(L, &x, dimension);
    if (lua_type(L, -1) == LUA_TNUMBER)
        lua_pushnumber(L, lua_tonumber(L, -1) / count);
    else
        map_push_divided(L, array_check(L, -1), count);
    return 1;
}

/* The array at 1; a number becomes one. */
static struct array *reduce_array(lua_State *L)
{
    if (lua_type(L, 1) == LUA_TNUMBER) {
        double number = lua_tonumber(L, 1);
        *array_new(L, 1, 1)->data = number;
        lua_replace(L, 1);
    }
    return array_check(L, 1);
}

/* num.prod(x [, dimension]) */
static int reduce_prod(lua_State *L)
{
    struct array *x = reduce_array(L);
    struct lines lines = lines_of(L, x, 2);
    double *to = lines_push_results(L, &lines);
    for (int64_t i = 0; i < lines.count; i++) {
        struct line line = lines_get(&lines, i);
        to[i] = 1;
        for (int64_t k = 0; k < line.count; k++)
            to[i] *= line.x[k * line.step];
    }
    if (lines.count == 1)
        lua_pushnumber(L, to[0]);
    return 1;
}

/* The place of the largest or smallest element, the first of equal ones, from 0. NaN only if there
 * is nothing else. */
static int64_t reduce_extreme(const struct line *line, int largest)
{
    int64_t found = 0;
    for (int64_t k = 1; k < line->count; k++) {
        double best = line->x[found * line->step], value = line->x[k * line->step];
        if (isnan(best) ? !isnan(value) : largest ? value > best : value < best)
            found = k;
    }
    return found;
}

/* num.max(x [, nil, dimension]) -> values, indices; num.max(x, y) -> the larger of each two */
static int reduce_extremes(lua_State *L, int largest)
{
    if (!lua_isnoneornil(L, 2)) {
        struct operand x, y;
        operand_check_two(L, &x, &y);
        if (x.kind == OPERAND_SPARSE || y.kind == OPERAND_SPARSE)
            return luaL_error(L, "num.%s of a sparse matrix and another value: write num.full(A)",
                              largest ? "max" : "min");
        if (x.kind == y.kind)
            operand_same_shape(L, largest ? "num.max" : "num.min", &x, &y);
        if (x.kind == OPERAND_NUMBER && y.kind == OPERAND_NUMBER)
            lua_pushnumber(L, largest ? fmax(x.number, y.number) : fmin(x.number, y.number));
        else
            map_push_extreme(L, largest, &x, &y);
        return 1;
    }
    struct array *x = reduce_array(L);
    struct lines lines = lines_of(L, x, 3);
    luaL_argcheck(L, array_count(x) > 0, 1, "there are no elements");
    double *values = lines_push_results(L, &lines);
    double *places = lines_push_results(L, &lines);
    for (int64_t i = 0; i < lines.count; i++) {
        struct line line = lines_get(&lines, i);
        int64_t found = reduce_extreme(&line, largest);
        values[i] = line.x[found * line.step];
        places[i] = (double)(found + 1);
    }
    if (lines.count == 1) {
        lua_pushnumber(L, values[0]);
        lua_pushinteger(L, (lua_Integer)places[0]);
    }
    return 2;
}

static int reduce_max(lua_State *L)
{
    return reduce_extremes(L, 1);
}

static int reduce_min(lua_State *L)
{
    return reduce_extremes(L, 0);
}

/* num.any(x [, dimension]), num.all(x [, dimension]): a boolean of a vector, else 0 and 1 */
static int reduce_whether(lua_State *L, int all)
{
    struct array *x = reduce_array(L);
    struct lines lines = lines_of(L, x, 2);
    double *to = lines_push_results(L, &lines);
    for (int64_t i = 0; i < lines.count; i++) {
        struct line line = lines_get(&lines, i);
        int64_t k = 0;
        while (k < line.count && (line.x[k * line.step] != 0) == all)
            k++;
        to[i] = (k == line.count) == all ? 1 : 0;
    }
    if (lines.count == 1)
        lua_pushboolean(L, to[0] != 0);
    return 1;
}

static int reduce_any(lua_State *L)
{
    return reduce_whether(L, 0);
}

static int reduce_all(lua_State *L)
{
    return reduce_whether(L, 1);
}

/* num.cumsum(x [, dimension]), num.cumprod(x [, dimension]) */
static int reduce_cumulated(lua_State *L, int product)
{
    struct array *x = reduce_array(L);
    struct lines lines = lines_of(L, x, 2);
    struct array *to = array_new(L, x->rows, x->cols);
    for (int64_t i = 0; i < lines.count; i++) {
        struct line line = lines_get(&lines, i);
        double *result = to->data + (line.x - lines.data), sofar = product;
        for (int64_t k = 0; k < line.count; k++) {
            double value = line.x[k * line.step];
            sofar = product ? sofar * value : sofar + value;
            result[k * line.step] = sofar;
        }
    }
    return 1;
}

static int reduce_cumsum(lua_State *L)
{
    return reduce_cumulated(L, 0);
}

static int reduce_cumprod(lua_State *L)
{
    return reduce_cumulated(L, 1);
}

void reduce_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"dot", reduce_dot},       {"norm", reduce_norm},       {"sum", reduce_sum},
        {"mean", reduce_mean},     {"prod", reduce_prod},       {"max", reduce_max},
        {"min", reduce_min},       {"any", reduce_any},         {"all", reduce_all},
        {"cumsum", reduce_cumsum}, {"cumprod", reduce_cumprod}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
