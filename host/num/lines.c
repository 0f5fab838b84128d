#include "num/lines.h"

#include <lauxlib.h>

int lines_dimension(lua_State *L, int index, int64_t rows)
{
    lua_Integer dimension = luaL_optinteger(L, index, rows == 1 ? 2 : 1);
    luaL_argcheck(L, dimension == 1 || dimension == 2, index, "a dimension is 1 or 2");
    return (int)dimension;
}

struct lines lines_along(lua_State *L, struct array *array, int dimension)
{
    return (struct lines){array, array_data(L, array), dimension,
                          dimension == 1 ? array->cols : array->rows};
}

struct lines lines_of(lua_State *L, struct array *array, int index)
{
    return lines_along(L, array, lines_dimension(L, index, array->rows));
}

struct line lines_get(const struct lines *lines, int64_t i)
{
    const struct array *array = lines->array;
    if (lines->dimension == 1)
        return (struct line){lines->data + i * array->rows, array->rows, 1};
    return (struct line){lines->data + i, array->cols, array->rows};
}

double *lines_push_results(lua_State *L, const struct lines *lines)
{
    return (lines->dimension == 1 ? array_new(L, 1, lines->count) : array_new(L, lines->count, 1))
        ->data;
}
