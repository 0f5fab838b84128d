/*
 * Functions of libraries get places.
 *
 * A C function without upvalues is no object: its value is the address of its code, which is
 * another one in each process. So tables with such keys would have another order in each run, and
 * tostring(print) would tell something else. With an upvalue, which nothing looks at, it is an
 * object, which is in the same place each time (address.h).
 */
#ifndef CKPTLUA_EXACT_CLOSURES_H
#define CKPTLUA_EXACT_CLOSURES_H

#include <lua.h>

/* Gives an upvalue to each C function without one that the globals, the metatables of strings and
 * of files, and all that hangs on these have as a value. Before names are given. */
void closures_open(lua_State *L);

#endif
