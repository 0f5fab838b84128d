#include "num/show.h"

#include <stdio.h>

#include <lauxlib.h>

#include "num/operand.h"

/* The corner. */
enum { SHOW_ROWS = 8, SHOW_COLS = 6 };

void show_push_shape(lua_State *L, int index)
{
    struct operand x = operand_check(L, index);
    lua_Integer rows = x.rows, cols = x.cols;
    if (x.kind == OPERAND_SPARSE)
        lua_pushfstring(L, "sparse matrix %Ix%I, %I nonzeros", rows, cols,
                        (lua_Integer)x.sparse->count);
    else if (cols == 1)
        lua_pushfstring(L, "vector %I", rows);
    else if (rows == 1)
        lua_pushfstring(L, "row vector %I", cols);
    else
        lua_pushfstring(L, "matrix %Ix%I", rows, cols);
}

static void show_add(luaL_Buffer *text, const char *format, double value)
{
    char number[32];
    snprintf(number, sizeof number, format, value);
    luaL_addstring(text, number);
}

static void show_add_sparse(luaL_Buffer *text, const struct sparse *sparse)
{
    char line[96];
    int64_t row = 0;
    for (int64_t k = 0; k < sparse->count && k < SHOW_ROWS; k++) {
        while (sparse->start[row + 1] <= k)
            row++;
        snprintf(line, sizeof line, "\n  (%lld, %lld)  %.10g", (long long)row + 1,
                 (long long)sparse->column[k] + 1, sparse->value[k]);
        luaL_addstring(text, line);
    }
    if (sparse->count > SHOW_ROWS)
        luaL_addstring(text, "\n  ...");
}

static void show_add_full(luaL_Buffer *text, const struct array *x, const double *data)
{
    int64_t most = x->rows == 1 ? SHOW_ROWS : SHOW_COLS; /* of a row vector a bit more */
    for (int64_t i = 0; i < x->rows && i < SHOW_ROWS; i++) {
        luaL_addstring(text, "\n");
        for (int64_t j = 0; j < x->cols && j < most; j++)
            show_add(text, " %12.6g", data[i + j * x->rows]);
        if (x->cols > most)
            luaL_addstring(text, "  ...");
    }
    if (x->rows > SHOW_ROWS)
        luaL_addstring(text, "\n          ...");
}

int show_text(lua_State *L)
{
    struct operand x = operand_check(L, 1);
    const double *data = x.array != NULL ? array_data(L, x.array) : NULL;
    luaL_Buffer text;
    show_push_shape(L, 1);
    const char *shape = lua_tostring(L, -1);
    luaL_buffinit(L, &text);
    luaL_addstring(&text, shape);
    if (x.kind == OPERAND_SPARSE)
        show_add_sparse(&text, x.sparse);
    else if (data != NULL)
        show_add_full(&text, x.array, data);
    luaL_pushresult(&text);
    return 1;
}

/* num.describe(x) */
static int show_describe(lua_State *L)
{
    show_push_shape(L, 1);
    return 1;
}

void show_open(lua_State *L)
{
    lua_pushcfunction(L, show_describe);
    lua_setfield(L, -2, "describe");
}
