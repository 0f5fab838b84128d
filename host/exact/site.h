/*
 * What is known of all calls that stand at one instruction: the answers of flow.h and of the code.
 * Those that were asked for last are remembered, since calls at the same place come in crowds, as
 * in a deep recursion, or in many coroutines of one function.
 */
#ifndef CKPTLUA_EXACT_SITE_H
#define CKPTLUA_EXACT_SITE_H

#include <stdint.h>

#include <lua.h>

#include "exact/code.h"
#include "exact/flow.h"
#include "exact/regset.h"

struct site {
    const uint32_t *instruction; /* NULL: nothing is remembered here */
    int calling;                 /* a function that it called is running */
    uint32_t print;              /* analysis_print */
    uint64_t live[REGSET_WORDS]; /* flow_live */
    uint64_t must[REGSET_WORDS]; /* flow_armed's `every` */
    struct flow_trust trust;
    uint64_t trusted[REGSET_WORDS]; /* all of that */
    uint64_t loops[REGSET_WORDS];   /* iterators of the generic loops that it is in */
    int has_loops, checks;          /* whether there are any, or any of `must` and `trusted` */
};

enum { SITE_KNOWN = 16 };

/* Begins as all zeros. */
struct sites {
    struct site known[SITE_KNOWN];
};

void site_forget(struct sites *sites);

/* Of a call of a Lua function. Raises, by the function's name, where its text is not known. It is
 * valid until the next question only. */
const struct site *site_of(lua_State *L, struct sites *sites, struct code *code,
                           const struct vm_call *call, int calling);

#endif
