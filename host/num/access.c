#include "num/access.h"

#include <string.h>

#include <lauxlib.h>

#include "num/operand.h"
#include "num/sparse_ops.h"

/* An index from 1 to most, from 0. `what` is what it is of: "row", "column" or "element". */
static int64_t access_check(lua_State *L, int index, const char *what, int64_t most)
{
    int is_integer;
    lua_Integer i = lua_tointegerx(L, index, &is_integer);
    if (!is_integer)
        luaL_error(L, "%s index: %s, an integer expected", what, luaL_tolstring(L, index, NULL));
    if (i < 1 || i > most)
        luaL_error(L, "%s %I is outside: there are %I", what, i, (lua_Integer)most);
    return i - 1;
}

/* The same of a number in a list of indices. */
static int64_t access_place(lua_State *L, const char *what, double index, int64_t most)
{
    int64_t place = operand_place(index, most);
    if (place < 0)
        luaL_error(L, "%s %f is none: there are %I", what, index, (lua_Integer)most);
    return place;
}

/* Elements x[list], in the shape of the list, but along x where both are vectors. */
static int access_gather(lua_State *L, struct array *x, struct array *list)
{
    const double *from = array_data(L, x), *index = array_data(L, list);
    int64_t rows = list->rows, cols = list->cols, most = array_count(x);
    if (array_is_vector(x) && array_is_vector(list)) {
        rows = x->cols == 1 ? array_count(list) : 1;
        cols = x->cols == 1 ? 1 : array_count(list);
    }
    double *to = array_new(L, rows, cols)->data;
    for (int64_t k = 0; k < rows * cols; k++)
        to[k] = from[access_place(L, "element", index[k], most)];
    return 1;
}

/* An element of a sparse matrix; indices from 0. */
static double access_sparse(const struct sparse *sparse, int64_t row, int64_t column)
{
    int64_t at = sparse_find(sparse, row, column);
    return at < 0 ? 0 : sparse->value[at];
}

int access_index(lua_State *L)
{
    if (lua_type(L, 2) == LUA_TSTRING) {
        lua_pushvalue(L, 2);
        lua_rawget(L, lua_upvalueindex(1));
        return 1;
    }
    struct array *x = array_to(L, 1);
    if (x == NULL) {
        struct sparse *sparse = sparse_check(L, 1);
        int64_t i = access_check(L, 2, "element", sparse->rows * sparse->cols);
        lua_pushnumber(L, access_sparse(sparse, i % sparse->rows, i / sparse->rows));
        return 1;
    }
    struct array *list = lua_isuserdata(L, 2) ? array_to(L, 2) : NULL;
    if (list != NULL)
        return access_gather(L, x, list);
    int64_t i = access_check(L, 2, "element", array_count(x));
    lua_pushnumber(L, array_data(L, x)[i]);
    return 1;
}

/* Puts an element that is not stored yet. */
static void access_insert(lua_State *L, int index, int64_t row, int64_t column, double value)
{
    const struct sparse *from = sparse_check(L, index);
    struct sparse *to = sparse_push(L, from->rows, from->cols, from->count + 1);
    int64_t at = from->start[row];
    while (at < from->start[row + 1] && from->column[at] < column)
        at++;
    for (int64_t i = 0; i <= from->rows; i++)
        to->start[i] = from->start[i] + (i > row);
    memcpy(to->column, from->column, (size_t)at * sizeof *to->column);
    memcpy(to->value, from->value, (size_t)at * sizeof *to->value);
    to->column[at] = (int32_t)column;
    to->value[at] = value;
    memcpy(to->column + at + 1, from->column + at, (size_t)(from->count - at) * sizeof *to->column);
    memcpy(to->value + at + 1, from->value + at, (size_t)(from->count - at) * sizeof *to->value);
    sparse_exchange(L, index);
}

static void access_set_sparse(lua_State *L, int index, int64_t row, int64_t column, double value)
{
    int64_t at = sparse_find(sparse_check(L, index), row, column);
    if (at >= 0)
        sparse_edit(L, index)->value[at] = value;
    else if (value != 0)
        access_insert(L, index, row, column, value);
}

int access_set_index(lua_State *L)
{
    struct array *x = array_to(L, 1);
    double value = luaL_checknumber(L, 3);
    if (x != NULL) {
        int64_t i = access_check(L, 2, "element", array_count(x));
        array_edit(L, x)[i] = value;
        return 0;
    }
    struct sparse *sparse = sparse_check(L, 1);
    int64_t i = access_check(L, 2, "element", sparse->rows * sparse->cols);
    access_set_sparse(L, 1, i % sparse->rows, i / sparse->rows, value);
    return 0;
}

int access_length(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    lua_pushinteger(L, x.rows * x.cols);
    return 1;
}

/* An element of a matrix. */
struct element {
    struct operand matrix;
    int64_t row, column;
};

/* (A, i, j, ...) */
static struct element access_element(lua_State *L)
{
    struct element element = {.matrix = operand_check(L, 1)};
    if (element.matrix.kind == OPERAND_NUMBER)
        sparse_check(L, 1); /* raises */
    element.row = access_check(L, 2, "row", element.matrix.rows);
    element.column = access_check(L, 3, "column", element.matrix.cols);
    return element;
}

/* A:get(i, j) */
static int access_get(lua_State *L)
{
    struct element at = access_element(L);
    struct array *x = at.matrix.array;
    lua_pushnumber(L, x != NULL ? array_data(L, x)[at.row + at.column * x->rows]
                                : access_sparse(at.matrix.sparse, at.row, at.column));
    return 1;
}

/* A:set(i, j, v) */
static int access_set(lua_State *L)
{
    struct element at = access_element(L);
    struct array *x = at.matrix.array;
    double value = luaL_checknumber(L, 4);
    if (x != NULL)
        array_edit(L, x)[at.row + at.column * x->rows] = value;
    else
        access_set_sparse(L, 1, at.row, at.column, value);
    return 0;
}

/* Pushes a userdata with the indices, from 0, that argument `index` stands for: a number, an array,
 * or nil for all. */
static int64_t *access_list(lua_State *L, int index, const char *what, int64_t most, int64_t *count)
{
    if (lua_isnoneornil(L, index)) {
        int64_t *all = array_push_room(L, most, sizeof *all);
        for (int64_t k = 0; k < most; k++)
            all[k] = k;
        *count = most;
        return all;
    }
    if (lua_type(L, index) == LUA_TNUMBER) {
        int64_t one = access_check(L, index, what, most);
        int64_t *list = array_push_room(L, 1, sizeof *list);
        *list = one;
        *count = 1;
        return list;
    }
    struct array *array = array_check(L, index);
    const double *data = array_data(L, array);
    *count = array_count(array);
    int64_t *list = array_push_room(L, *count, sizeof *list);
    for (int64_t k = 0; k < *count; k++)
        list[k] = access_place(L, what, data[k], most);
    return list;
}

/* A:sub(rows, columns): a copy of a part; each a number, a vector of indices, or nil for all */
static int access_sub(lua_State *L)
{
    int64_t rows, cols;
    lua_settop(L, 3);
    struct array *x = array_to(L, 1);
    struct sparse *sparse = x == NULL ? sparse_check(L, 1) : NULL;
    int64_t *row = access_list(L, 2, "row", x != NULL ? x->rows : sparse->rows, &rows);
    int64_t *column = access_list(L, 3, "column", x != NULL ? x->cols : sparse->cols, &cols);
    if (sparse != NULL) {
        sparse_ops_push_part(L, sparse, row, rows, column, cols);
        return 1;
    }
    const double *from = array_data(L, x);
    double *to = array_new(L, rows, cols)->data;
    for (int64_t j = 0; j < cols; j++)
        for (int64_t i = 0; i < rows; i++)
            to[i + j * rows] = from[row[i] + column[j] * x->rows];
    return 1;
}

/* A:put(rows, columns, values): the part becomes a number, or the elements of a matrix of its shape
 */
static int access_put(lua_State *L)
{
    int64_t rows, cols;
    lua_settop(L, 4);
    struct array *x = array_check(L, 1);
    struct operand values = operand_check(L, 4);
    luaL_argcheck(L, values.kind != OPERAND_SPARSE, 4, "a number or a full matrix expected");
    int64_t *row = access_list(L, 2, "row", x->rows, &rows);
    int64_t *column = access_list(L, 3, "column", x->cols, &cols);
    if (values.kind == OPERAND_ARRAY && (values.rows != rows || values.cols != cols))
        operand_mismatch(L, "A:put", &(struct operand){.rows = rows, .cols = cols}, &values,
                         "the part and its new values must have the same shape");
    if (values.array == x) { /* what is put there was there */
        const double *data = array_data(L, x);
        values.array = array_new(L, x->rows, x->cols);
        memcpy(values.array->data, data, (size_t)array_count(x) * sizeof *data);
    }
    const double *from = values.kind == OPERAND_ARRAY ? array_data(L, values.array) : NULL;
    double *to = array_edit(L, x);
    for (int64_t j = 0; j < cols; j++)
        for (int64_t i = 0; i < rows; i++)
            to[row[i] + column[j] * x->rows] = from == NULL ? values.number : from[i + j * rows];
    return 0;
}

/* num.table(x): a sequence of the elements of a vector, or a sequence of rows */
static int access_table(lua_State *L)
{
    struct array *x = array_check(L, 1);
    const double *data = array_data(L, x);
    int64_t count = array_count(x);
    if (array_is_vector(x)) {
        lua_createtable(L, count < INT32_MAX ? (int)count : 0, 0);
        for (int64_t i = 0; i < count; i++) {
            lua_pushnumber(L, data[i]);
            lua_rawseti(L, -2, i + 1);
        }
        return 1;
    }
    lua_createtable(L, x->rows < INT32_MAX ? (int)x->rows : 0, 0);
    for (int64_t i = 0; i < x->rows; i++) {
        lua_createtable(L, x->cols < INT32_MAX ? (int)x->cols : 0, 0);
        for (int64_t j = 0; j < x->cols; j++) {
            lua_pushnumber(L, data[i + j * x->rows]);
            lua_rawseti(L, -2, j + 1);
        }
        lua_rawseti(L, -2, i + 1);
    }
    return 1;
}

/* The number at t[i], t being on top; raises if there is none. */
static double access_number(lua_State *L, int64_t i, const char *where)
{
    int is_number;
    lua_rawgeti(L, -1, i);
    double number = lua_tonumberx(L, -1, &is_number);
    if (!is_number)
        luaL_error(L, "element %I%s is %s, a number expected", (lua_Integer)i, where,
                   luaL_typename(L, -1));
    lua_pop(L, 1);
    return number;
}

/* num.vector{...}: a column of the numbers of a sequence */
static int access_vector(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int64_t count = (int64_t)lua_rawlen(L, 1);
    double *to = array_new(L, count, 1)->data;
    lua_pushvalue(L, 1);
    for (int64_t i = 0; i < count; i++)
        to[i] = access_number(L, i + 1, "");
    lua_pop(L, 1);
    return 1;
}

/* num.matrix{{...}, {...}}: of its rows */
static int access_matrix(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    int64_t rows = (int64_t)lua_rawlen(L, 1), cols = 0;
    for (int64_t i = 1; i <= rows; i++) {
        if (lua_rawgeti(L, 1, i) != LUA_TTABLE)
            return luaL_error(L, "row %I is %s, a table expected", (lua_Integer)i,
                              luaL_typename(L, -1));
        int64_t count = (int64_t)lua_rawlen(L, -1);
        if (i > 1 && count != cols)
            return luaL_error(L, "row %I has %I elements, the first has %I", (lua_Integer)i,
                              (lua_Integer)count, (lua_Integer)cols);
        cols = count;
        lua_pop(L, 1);
    }
    double *to = array_new(L, rows, cols)->data;
    for (int64_t i = 0; i < rows; i++) {
        lua_rawgeti(L, 1, i + 1);
        for (int64_t j = 0; j < cols; j++)
            to[i + j * rows] = access_number(L, j + 1, " of a row");
        lua_pop(L, 1);
    }
    return 1;
}

void access_open(lua_State *L)
{
    static const luaL_Reg functions[] = {
        {"get", access_get},       {"set", access_set},
        {"sub", access_sub},       {"put", access_put},
        {"table", access_table},   {"vector", access_vector},
        {"matrix", access_matrix}, {NULL, NULL},
    };
    luaL_setfuncs(L, functions, 0);
}
