/*
 * The analysis of a prototype (flow.h), made when it is first asked for, out of Lua's own memory.
 */
#ifndef CKPTLUA_EXACT_ANALYSIS_H
#define CKPTLUA_EXACT_ANALYSIS_H

#include <stdint.h>

#include <lua.h>

#include "exact/code.h"
#include "exact/flow.h"

/* Raises where the text of the function is not known, or out of memory. It lives as long as the
 * text is kept. */
const struct flow *analysis_of(lua_State *L, struct code *code,
                               const struct vm_prototype *prototype);

/* A number that is another one, but for chance, where the function is compiled to other
 * instructions, or has other kinds of constants, other upvalues or another number of registers. The
 * same in every process and on every machine. Raises as above. */
uint32_t analysis_print(lua_State *L, struct code *code, const struct vm_prototype *prototype);

void analysis_free(struct analysis *analysis);

#endif
