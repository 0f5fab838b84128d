/*
 * What operators and functions of the module are given: a number, an array, or a sparse matrix.
 */
#ifndef CKPTLUA_NUM_OPERAND_H
#define CKPTLUA_NUM_OPERAND_H

#include <lua.h>

#include "num/array.h"
#include "num/sparse.h"

enum operand_kind { OPERAND_NUMBER, OPERAND_ARRAY, OPERAND_SPARSE };

struct operand {
    enum operand_kind kind;
    int index; /* on the stack */
    int64_t rows, cols;
    double number; /* of an array, the element if there is just one */
    struct array *array;
    struct sparse *sparse;
};

/* The one at index; raises if the value there is none of these. */
struct operand operand_check(lua_State *L, int index);

/* Those at 1 and 2. As in MATLAB, an array of 1x1 counts as a number beside one of another shape.
 */
void operand_check_two(lua_State *L, struct operand *x, struct operand *y);

/* The elements of one that is no sparse matrix. */
const double *operand_data(lua_State *L, const struct operand *x);

/* The place, from 0, that an index from 1 to most stands for; -1 if it is none. */
int64_t operand_place(double index, int64_t most);

/* Raises "WHAT: AxB and CxD do not fit: WHY". */
_Noreturn void operand_mismatch(lua_State *L, const char *what, const struct operand *one,
                                const struct operand *other, const char *why);

/* Raises unless they have the same shape. */
void operand_same_shape(lua_State *L, const char *what, const struct operand *one,
                        const struct operand *other);

#endif
