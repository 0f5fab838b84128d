#include "num/arithmetic.h"

#include <lauxlib.h>

#include "num/compute.h"
#include "num/kernel.h"
#include "num/map.h"
#include "num/operand.h"
#include "num/product.h"
#include "num/sparse_ops.h"

/* Pushes f * array. */
static void arithmetic_scale(lua_State *L, double f, struct array *array)
{
    if (!array_is_large(array)) {
        const double *x = array->data;
        struct array *result = array_new(L, array->rows, array->cols);
        kernel_scale(result->data, f, x, array_count(array));
        return;
    }
    struct term term = array_term(L, array);
    int is_exact = f == 1 || f == -1 || term.factor == 1 || term.factor == -1;
    if (!is_exact) {
        array_data(L, array);
        term = array_term(L, array);
    }
    term.factor *= f;
    struct pending pending = {1, {term}, NULL};
    array_new_pending(L, array->rows, array->cols, &pending);
}

/* Pushes one + sign * other, of the same shape. */
static void arithmetic_sum(lua_State *L, struct array *one, double sign, struct array *other)
{
    if (!array_is_large(one)) {
        const double *x = one->data, *y = other->data;
        struct array *result = array_new(L, one->rows, one->cols);
        kernel_sum(result->data, 1, x, sign, y, array_count(one));
        return;
    }
    struct term x = array_term(L, one), y = array_term(L, other);
    y.factor *= sign;
    struct pending pending = {2, {x, y}, NULL};
    array_new_pending(L, one->rows, one->cols, &pending);
}

/* Pushes f * (a copy of the sparse matrix). */
static void arithmetic_scale_sparse(lua_State *L, double f, const struct sparse *from)
{
    struct sparse *to = sparse_push_copy(L, from);
    for (int64_t k = 0; k < to->count; k++)
        to->value[k] = f * from->value[k];
}

static int arithmetic_sum_of(lua_State *L, const char *what, double sign)
{
    struct operand x, y;
    operand_check_two(L, &x, &y);
    if (x.kind == OPERAND_ARRAY && y.kind == OPERAND_ARRAY) {
        operand_same_shape(L, what, &x, &y);
        arithmetic_sum(L, x.array, sign, y.array);
    } else if (x.kind == OPERAND_NUMBER && y.kind == OPERAND_NUMBER) {
        lua_pushnumber(L, x.number + sign * y.number);
    } else if (x.kind == OPERAND_SPARSE && y.kind == OPERAND_SPARSE) {
        operand_same_shape(L, what, &x, &y);
        sparse_ops_push_sum(L, x.sparse, sign, y.sparse);
    } else if (x.kind == OPERAND_NUMBER || y.kind == OPERAND_NUMBER) {
        if (x.kind == OPERAND_SPARSE || y.kind == OPERAND_SPARSE)
            luaL_error(L, "%s: a number and a sparse matrix give a full one; write num.full(A)",
                       what);
        map_push_shifted(L, &x, sign, &y);
    } else {
        operand_same_shape(L, what, &x, &y);
        sparse_ops_push_full_sum(L, &x, sign, &y);
    }
    return 1;
}

int arithmetic_add(lua_State *L)
{
    return arithmetic_sum_of(L, "x + y", 1);
}

int arithmetic_subtract(lua_State *L)
{
    return arithmetic_sum_of(L, "x - y", -1);
}

static void arithmetic_scaled(lua_State *L, double f, const struct operand *x)
{
    if (x->kind == OPERAND_NUMBER)
        lua_pushnumber(L, f * x->number);
    else if (x->kind == OPERAND_ARRAY)
        arithmetic_scale(L, f, x->array);
    else
        arithmetic_scale_sparse(L, f, x->sparse);
}

int arithmetic_negate(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    arithmetic_scaled(L, -1, &x);
    return 1;
}

int arithmetic_multiply(lua_State *L)
{
    struct operand x, y;
    operand_check_two(L, &x, &y);
    if (x.kind == OPERAND_NUMBER) {
        arithmetic_scaled(L, x.number, &y);
    } else if (y.kind == OPERAND_NUMBER) {
        arithmetic_scaled(L, y.number, &x);
    } else {
        if (x.cols != y.rows)
            operand_mismatch(L, "x * y", &x, &y,
                             "the second must have as many rows as the first has columns; for "
                             "products of elements write num.times(x, y)");
        product_push(L, &x, &y);
    }
    return 1;
}

int arithmetic_divide(lua_State *L)
{
    struct operand x, y;
    operand_check_two(L, &x, &y);
    if (y.kind == OPERAND_ARRAY && y.rows == 1 && y.cols == 1)
        y.kind = OPERAND_NUMBER;
    if (y.kind != OPERAND_NUMBER)
        luaL_error(L, "x / y: y is %Ix%I; for quotients of elements write num.rdivide(x, y)",
                   (lua_Integer)y.rows, (lua_Integer)y.cols);
    if (x.kind == OPERAND_NUMBER) {
        lua_pushnumber(L, x.number / y.number);
    } else if (x.kind == OPERAND_ARRAY) {
        map_push_divided(L, x.array, y.number);
    } else {
        struct sparse *to = sparse_push_copy(L, x.sparse);
        for (int64_t k = 0; k < to->count; k++)
            to->value[k] /= y.number;
    }
    return 1;
}
