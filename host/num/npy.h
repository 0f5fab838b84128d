/*
 * NumPy's files (.npy), https://numpy.org/neps/nep-0001-npy-format.html, versions 1 to 3: arrays of
 * floats, integers and booleans with up to two dimensions, in C's or Fortran's order. One dimension
 * is a column. Complex numbers, texts and objects are refused.
 */
#ifndef CKPTLUA_NUM_NPY_H
#define CKPTLUA_NUM_NPY_H

#include <lua.h>

/* Pushes the array in the file. Raises "FILE: at byte N: what is wrong". No more memory is asked
 * for than the bytes of the file can fill. */
void npy_load(lua_State *L, const char *name);

/* Writes the number or full matrix at index: float64, a column as one dimension. */
void npy_save(lua_State *L, const char *name, int index);

#endif
