/*
 * Modules written in C that come with ckptlua: num. They are libraries of their own, loaded when a
 * script requires them, or a snapshot has values of their types.
 */
#ifndef CKPTLUA_JOB_BUNDLED_H
#define CKPTLUA_JOB_BUNDLED_H

#include <lua.h>

/* package.preload[name] = loader, for each. The standard libraries are open, and the registry. */
void bundled_open(lua_State *L);

#endif
