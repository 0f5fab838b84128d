#include "num/arrange.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "num/lines.h"
#include "num/operand.h"
#include "num/sparse_ops.h"

/* ---- find, sort */

/* num.find(x): the places of all elements that are not 0, counted column by column; a row of those
 * of a row */
static int arrange_find(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    lua_settop(L, 1);
    const struct sparse *by_column =
        x.kind == OPERAND_SPARSE ? sparse_push_transposed(L, x.sparse) : NULL;
    const double *values = by_column != NULL ? by_column->value : operand_data(L, &x);
    int64_t all = by_column != NULL ? by_column->count : x.rows * x.cols, count = 0, column = 0;
    for (int64_t k = 0; k < all; k++)
        count += values[k] != 0;
    double *to =
        (x.rows == 1 && x.cols != 1 ? array_new(L, 1, count) : array_new(L, count, 1))->data;
    for (int64_t k = 0; k < all; k++) {
        while (by_column != NULL && by_column->start[column + 1] <= k)
            column++;
        if (values[k] != 0)
            *to++ = (double)(by_column == NULL ? k : by_column->column[k] + column * x.rows) + 1;
    }
    return 1;
}

struct sorted {
    double value;
    int64_t place;
};

/* Not a number comes last, whatever the direction: as if it were the largest, or smallest. Equal
 * ones stay in their order. */
static int sorted_compare(double one, double other, int64_t one_place, int64_t other_place)
{
    if (isnan(one) || isnan(other)) {
        if (isnan(one) != isnan(other))
            return isnan(one) ? 1 : -1;
    } else if (one != other) {
        return one < other ? -1 : 1;
    }
    return (one_place > other_place) - (one_place < other_place);
}

static int sorted_ascending(const void *one, const void *other)
{
    const struct sorted *a = one, *b = other;
    return sorted_compare(a->value, b->value, a->place, b->place);
}

static int sorted_descending(const void *one, const void *other)
{
    const struct sorted *a = one, *b = other;
    return sorted_compare(-a->value, -b->value, a->place, b->place);
}

/* num.sort(x [, dimension [, "descend"]]) -> sorted, places; the dimension may be left out */
static int arrange_sort(lua_State *L)
{
    static const char *const directions[] = {"ascend", "descend", NULL};
    struct array *x = array_check(L, 1);
    if (lua_type(L, 2) == LUA_TSTRING && !lua_isnumber(L, 2)) {
        lua_pushnil(L);
        lua_insert(L, 2);
    }
    struct lines lines = lines_of(L, x, 2);
    int descends = luaL_checkoption(L, 3, "ascend", directions);
    struct sorted *sorted =
        array_push_room(L, lines.dimension == 1 ? x->rows : x->cols, sizeof *sorted);
    double *to = array_new(L, x->rows, x->cols)->data;
    double *places = array_new(L, x->rows, x->cols)->data;
    for (int64_t i = 0; i < lines.count; i++) {
        struct line line = lines_get(&lines, i);
        int64_t first = line.x - lines.data;
        for (int64_t k = 0; k < line.count; k++)
            sorted[k] = (struct sorted){line.x[k * line.step], k};
        qsort(sorted, (size_t)line.count, sizeof *sorted,
              descends ? sorted_descending : sorted_ascending);
        for (int64_t k = 0; k < line.count; k++) {
            to[first + k * line.step] = sorted[k].value;
            places[first + k * line.step] = (double)(sorted[k].place + 1);
        }
    }
    return 2;
}

/* ---- matrices out of others, as triplets or full */

/* Adds an operand at that place. */
static void arrange_add(lua_State *L, struct triplets *elements, const struct operand *x,
                        int64_t row, int64_t column)
{
    if (x->kind == OPERAND_SPARSE) {
        for (int64_t i = 0; i < x->rows; i++)
            for (int64_t k = x->sparse->start[i]; k < x->sparse->start[i + 1]; k++)
                triplets_add(elements, row + i, column + x->sparse->column[k], x->sparse->value[k]);
        return;
    }
    const double *data = operand_data(L, x);
    for (int64_t k = 0; k < x->rows * x->cols; k++)
        if (data[k] != 0)
            triplets_add(elements, row + k % x->rows, column + k / x->rows, data[k]);
}

static int64_t arrange_count(const struct operand *x)
{
    return x->kind == OPERAND_SPARSE ? x->sparse->count : x->rows * x->cols;
}

/* What is joined: the shape of the result, and whether it is sparse. */
struct joined {
    int64_t rows, cols, elements;
    int is_sparse;
};

static struct joined arrange_join_shape(lua_State *L, int below)
{
    struct joined joined = {0};
    struct operand first = {.rows = 0, .cols = 0};
    for (int k = 1; k <= lua_gettop(L); k++) {
        struct operand x = operand_check(L, k);
        joined.is_sparse |= x.kind == OPERAND_SPARSE;
        if (x.rows == 0 && x.cols == 0)
            continue;
        if (first.rows == 0 && first.cols == 0)
            first = x;
        if (below ? x.cols != first.cols : x.rows != first.rows)
            operand_mismatch(L, below ? "num.vertcat" : "num.horzcat", &first, &x,
                             below ? "both must have as many columns"
                                   : "both must have as many rows");
        joined.rows = below ? joined.rows + x.rows : x.rows;
        joined.cols = below ? x.cols : joined.cols + x.cols;
        joined.elements += arrange_count(&x);
    }
    return joined;
}

/* Side by side, or one below the other; sparse if one of them is. */
static int arrange_join(lua_State *L, int below)
{
    int count = lua_gettop(L);
    int64_t at = 0;
    luaL_checkstack(L, 8, NULL);
    struct joined joined = arrange_join_shape(L, below);
    struct triplets elements = {0};
    double *to = NULL;
    if (joined.is_sparse) {
        sparse_check_shape(L, joined.rows, joined.cols);
        elements = triplets_push(L, joined.elements);
    } else {
        to = array_new(L, joined.rows, joined.cols)->data;
    }
    for (int k = 1; k <= count; k++) {
        struct operand x = operand_check(L, k);
        int64_t row = below ? at : 0, column = below ? 0 : at;
        if (joined.is_sparse) {
            arrange_add(L, &elements, &x, row, column);
        } else {
            const double *from = operand_data(L, &x);
            for (int64_t j = 0; j < x.cols; j++)
                memcpy(to + row + (column + j) * joined.rows, from + j * x.rows,
                       (size_t)x.rows * sizeof *from);
        }
        at += below ? x.rows : x.cols;
    }
    if (joined.is_sparse)
        sparse_push_triplets(L, joined.rows, joined.cols, &elements);
    return 1;
}

/* num.horzcat(...) */
static int arrange_horzcat(lua_State *L)
{
    return arrange_join(L, 0);
}

/* num.vertcat(...) */
static int arrange_vertcat(lua_State *L)
{
    return arrange_join(L, 1);
}

/* x .. y: columns one below the other, all else side by side */
int arrange_concat(lua_State *L)
{
    struct operand x = operand_check(L, 1), y = operand_check(L, 2);
    lua_settop(L, 2);
    return arrange_join(L, x.cols == 1 && y.cols == 1 && (x.rows != 1 || y.rows != 1));
}

/* num.kron(A, B): each element of A times B; sparse if one of them is */
static int arrange_kron(lua_State *L)
{
    struct operand x = operand_check(L, 1), y = operand_check(L, 2);
    int64_t rows, cols;
    lua_settop(L, 2);
    if (__builtin_mul_overflow(x.rows, y.rows, &rows) ||
        __builtin_mul_overflow(x.cols, y.cols, &cols))
        return luaL_error(L, "num.kron: too many elements");
    if (x.kind != OPERAND_SPARSE && y.kind != OPERAND_SPARSE) {
        const double *one = operand_data(L, &x), *other = operand_data(L, &y);
        double *to = array_new(L, rows, cols)->data;
        for (int64_t j = 0; j < cols; j++)
            for (int64_t i = 0; i < rows; i++)
                to[i + j * rows] =
                    one[i / y.rows + j / y.cols * x.rows] * other[i % y.rows + j % y.cols * y.rows];
        return 1;
    }
    sparse_check_shape(L, rows, cols);
    struct triplets left = triplets_push(L, arrange_count(&x)),
                    right = triplets_push(L, arrange_count(&y));
    arrange_add(L, &left, &x, 0, 0);
    arrange_add(L, &right, &y, 0, 0);
    int64_t count;
    if (__builtin_mul_overflow(left.count, right.count, &count) || count > ARRAY_MOST / 16)
        return luaL_error(L, "num.kron: too many elements");
    struct triplets product = triplets_push(L, count);
    for (int64_t i = 0; i < left.count; i++)
        for (int64_t k = 0; k < right.count; k++)
            triplets_add(&product, left.row[i] * y.rows + right.row[k],
                         left.column[i] * y.cols + right.column[k], left.value[i] * right.value[k]);
    sparse_push_triplets(L, rows, cols, &product);
    return 1;
}

/* The part of A on and below the diagonal k, or on and above it. */
static int arrange_triangle(lua_State *L, int below)
{
    struct operand x = operand_check(L, 1);
    lua_Integer k = luaL_optinteger(L, 2, 0);
    luaL_argcheck(L, k >= -ARRAY_MOST && k <= ARRAY_MOST, 2, "the number of a diagonal expected");
    lua_settop(L, 2);
    if (x.kind == OPERAND_SPARSE) {
        struct triplets elements = triplets_push(L, x.sparse->count);
        for (int64_t i = 0; i < x.rows; i++)
            for (int64_t at = x.sparse->start[i]; at < x.sparse->start[i + 1]; at++) {
                int64_t diagonal = x.sparse->column[at] - i;
                if (below ? diagonal <= k : diagonal >= k)
                    triplets_add(&elements, i, x.sparse->column[at], x.sparse->value[at]);
            }
        sparse_push_triplets(L, x.rows, x.cols, &elements);
        return 1;
    }
    const double *from = operand_data(L, &x);
    double *to = array_new(L, x.rows, x.cols)->data;
    for (int64_t j = 0; j < x.cols; j++)
        for (int64_t i = 0; i < x.rows; i++)
            to[i + j * x.rows] = (below ? j - i <= k : j - i >= k) ? from[i + j * x.rows] : 0;
    return 1;
}

/* num.tril(A [, k = 0]) */
static int arrange_tril(lua_State *L)
{
    return arrange_triangle(L, 1);
}

/* num.triu(A [, k = 0]) */
static int arrange_triu(lua_State *L)
{
    return arrange_triangle(L, 0);
}

void arrange_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"find", arrange_find},       {"sort", arrange_sort}, {"horzcat", arrange_horzcat},
        {"vertcat", arrange_vertcat}, {"kron", arrange_kron}, {"tril", arrange_tril},
        {"triu", arrange_triu},       {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
