/*
 * Functions that the libraries make anew at each call, and that have a state: the iterators of
 * string.gmatch, io.lines and file:lines. They are made again by the same library function, and
 * given their state.
 */
#ifndef CKPTLUA_EXACT_ITERATORS_H
#define CKPTLUA_EXACT_ITERATORS_H

#include "exact/exact.h"

/* Looks at how the libraries make them. Those that are not as expected are not known. */
void iterators_open(lua_State *L, struct exact *exact);

/* As code_writer.made and code_reader.made; make returns 0 if it is of another kind. */
int iterators_take_apart(lua_State *L, struct exact *exact, int index);
int iterators_make(lua_State *L, struct exact *exact, const char *kind, int count);

#endif
