/*
 * The C functions that can stand on a stack that is captured. A C function that waits for another
 * one is told to go on by its continuation; a new process needs to know it. Those of libraries that
 * are not listed here hold a save up until they have returned.
 */
#ifndef CKPTLUA_EXACT_POINTS_H
#define CKPTLUA_EXACT_POINTS_H

#include "exact/exact.h"

enum point_kind {
    POINT_TOP,    /* on top only: coroutine.yield, and functions of the host that save */
    POINT_RESUME, /* runs another thread: on top of a thread that has resumed one */
    POINT_CALL,   /* lua_callk */
    POINT_START,  /* lua_pcallk with the handler below the function: calls the script */
    POINT_PCALL,  /* lua_pcallk without a handler, one value below the function */
    POINT_XPCALL  /* lua_pcallk, the handler is its second value, three below the function */
};

struct exact_point {
    lua_CFunction function;
    enum point_kind kind;
    lua_KFunction continuation; /* NULL: the call is over when the thread is resumed */
    int results;                /* that it wants of the function that it calls */
};

/* The function is one of that kind from now on. Raises when out of memory. */
void points_add(lua_State *L, struct exact *exact, lua_CFunction function, enum point_kind kind,
                lua_KFunction continuation, int results);

/* The C function at index as one of these, or NULL. */
const struct exact_point *points_find(lua_State *L, const struct exact *exact, int index);

#endif
