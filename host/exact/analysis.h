/*
 * The analysis of a prototype (flow.h), made when it is first asked for, out of Lua's own memory.
 */
#ifndef CKPTLUA_EXACT_ANALYSIS_H
#define CKPTLUA_EXACT_ANALYSIS_H

#include <lua.h>

#include "exact/code.h"
#include "exact/flow.h"

/* Raises where the text of the function is not known, or out of memory. It lives as long as the
 * text is kept. */
const struct flow *analysis_of(lua_State *L, struct code *code,
                               const struct vm_prototype *prototype);

void analysis_free(struct analysis *analysis);

#endif
