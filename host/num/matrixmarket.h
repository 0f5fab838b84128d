/*
 * Matrix Market files (.mtx), https://math.nist.gov/MatrixMarket/formats.html: coordinate and
 * array, real, integer and pattern, general, symmetric and skew-symmetric. Complex ones are
 * refused.
 */
#ifndef CKPTLUA_NUM_MATRIXMARKET_H
#define CKPTLUA_NUM_MATRIXMARKET_H

#include <lua.h>

/* Pushes the matrix in the file, sparse or full. Raises "FILE:LINE: what is wrong". No more memory
 * is asked for than the bytes of the file can fill. */
void matrixmarket_load(lua_State *L, const char *name);

/* Writes the array or sparse matrix at index; a symmetric sparse one as such. */
void matrixmarket_save(lua_State *L, const char *name, int index);

#endif
