/*
 * Full matrices line by line: the columns are the lines along dimension 1, the rows those along 2.
 */
#ifndef CKPTLUA_NUM_LINES_H
#define CKPTLUA_NUM_LINES_H

#include <stdint.h>

#include <lua.h>

#include "num/array.h"

struct lines {
    const struct array *array;
    const double *data;
    int dimension;
    int64_t count;
};

/* Elements are x[0], x[step], ... */
struct line {
    const double *x;
    int64_t count, step;
};

/* Argument `index`, which is 1 or 2; where it is left out, 2 for what has one row, else 1. */
int lines_dimension(lua_State *L, int index, int64_t rows);

/* Those of the array along a dimension; or along the one that argument `index` tells. */
struct lines lines_along(lua_State *L, struct array *array, int dimension);
struct lines lines_of(lua_State *L, struct array *array, int index);

struct line lines_get(const struct lines *lines, int64_t i);

/* Pushes a new array with an element for each line, and returns its elements. */
double *lines_push_results(lua_State *L, const struct lines *lines);

#endif
