/*
 * What a host, if there is one, is told of the module's memory. Under plain lua5.4 its collector is
 * called instead.
 */
#ifndef CKPTLUA_NUM_ACCOUNT_H
#define CKPTLUA_NUM_ACCOUNT_H

#include <stddef.h>

#include <lua.h>

/* An object has got so many bytes outside of Lua's memory, or given them back (negative). */
void account_bytes(lua_State *L, ptrdiff_t bytes);

#endif
