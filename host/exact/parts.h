/*
 * What a function or a coroutine refers to, as its source text calls it: for messages about a value
 * that only these have.
 */
#ifndef CKPTLUA_EXACT_PARTS_H
#define CKPTLUA_EXACT_PARTS_H

#include <lua.h>

/* Of code_writer. */
void parts_push(lua_State *L, void *context, int index);

#endif
