#include "num/operand.h"

#include <stdlib.h>

#include <lauxlib.h>

struct operand operand_check(lua_State *L, int index)
{
    struct operand operand = {OPERAND_NUMBER, index, 1, 1, 0, NULL, NULL};
    if (lua_type(L, index) == LUA_TNUMBER) {
        operand.number = lua_tonumber(L, index);
        return operand;
    }
    operand.array = array_to(L, index);
    if (operand.array != NULL) {
        operand.rows = operand.array->rows;
        operand.cols = operand.array->cols;
        operand.kind = OPERAND_ARRAY;
        if (operand.rows == 1 && operand.cols == 1)
            operand.number = *array_data(L, operand.array);
        return operand;
    }
    operand.sparse = sparse_to(L, index);
    if (operand.sparse == NULL)
        luaL_typeerror(L, index, "number, num array or num.sparse");
    operand.kind = OPERAND_SPARSE;
    operand.rows = operand.sparse->rows;
    operand.cols = operand.sparse->cols;
    return operand;
}

const double *operand_data(lua_State *L, const struct operand *x)
{
    return x->array != NULL ? array_data(L, x->array) : &x->number;
}

int64_t operand_place(double index, int64_t most)
{
    int is_inside = index >= 1 && index <= (double)most;
    return is_inside && index == (double)(int64_t)index ? (int64_t)index - 1 : -1;
}

static int operand_is_single(const struct operand *x)
{
    return x->rows == 1 && x->cols == 1;
}

void operand_check_two(lua_State *L, struct operand *x, struct operand *y)
{
    *x = operand_check(L, 1);
    *y = operand_check(L, 2);
    if (x->kind == OPERAND_ARRAY && operand_is_single(x) && !operand_is_single(y))
        x->kind = OPERAND_NUMBER;
    if (y->kind == OPERAND_ARRAY && operand_is_single(y) && !operand_is_single(x))
        y->kind = OPERAND_NUMBER;
}

_Noreturn void operand_mismatch(lua_State *L, const char *what, const struct operand *one,
                                const struct operand *other, const char *why)
{
    luaL_error(L, "%s: %Ix%I and %Ix%I do not fit: %s", what, (lua_Integer)one->rows,
               (lua_Integer)one->cols, (lua_Integer)other->rows, (lua_Integer)other->cols, why);
    abort(); /* not reached */
}

void operand_same_shape(lua_State *L, const char *what, const struct operand *one,
                        const struct operand *other)
{
    if (one->rows != other->rows || one->cols != other->cols)
        operand_mismatch(L, what, one, other, "both must have the same shape");
}
