/*
 * Registers that no instruction reads any more are cleared, so that what they hold is garbage: a
 * snapshot leaves these registers out, and a process that goes on from it has nothing in them.
 */
#ifndef CKPTLUA_EXACT_REGISTERS_H
#define CKPTLUA_EXACT_REGISTERS_H

#include "exact/exact.h"

/* Of all threads, as far as the texts of the functions that are being called are known. all: there
 * may be others than those that run inside each other. The thread of L is left alone; it may be the
 * host's only. Raises when out of memory. */
void registers_clear(lua_State *L, struct exact *exact, int all);

#endif
