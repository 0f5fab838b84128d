#include "exact/site.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/analysis.h"
#include "exact/capture.h"
#include "exact/opcode.h"

void site_forget(struct sites *sites)
{
    for (int i = 0; i < SITE_KNOWN; i++)
        sites->known[i].instruction = NULL;
}

/* Whether the text of the function that is called is known; raises which one it is, if not. */
static void site_check_text(lua_State *L, struct code *code, const struct vm_call *call)
{
    struct code_chunk *chunk;
    uint32_t number;
    if (code_find(L, code, vm_called(call), &chunk, &number))
        return;
    capture_push_name(L, L, call);
    luaL_error(L,
               "the source text of %s, which is being called, is not known (it came from "
               "string.dump or from a C library)",
               lua_tostring(L, -1));
}

/* Fills all but what tells whether it is filled. */
static void site_fill(lua_State *L, struct site *site, struct code *code,
                      const struct vm_call *call)
{
    const struct vm_prototype *prototype = vm_called(call);
    int pc = vm_pc(call);
    uint64_t some[REGSET_WORDS];
    site_check_text(L, code, call);
    const struct flow *flow = analysis_of(L, code, prototype);
    memset(site->loops, 0, sizeof site->loops);
    site->has_loops = site->checks = 0;
    site->print = analysis_print(L, code, prototype);
    flow_live(flow, pc, site->calling, site->live);
    flow_armed(flow, pc, some, site->must);
    flow_trusted(flow, pc, site->calling, &site->trust);
    for (int i = 0; i < REGSET_WORDS; i++) {
        site->trusted[i] = site->trust.tables[i] | site->trust.strings[i] | site->trust.numbers[i];
        site->checks |= (site->trusted[i] | site->must[i]) != 0;
    }
    for (int i = 0; i < pc; i++) {
        int last, iterator = opcode_begins_loop(prototype->code, i, &last);
        if (iterator >= 0 && pc <= last) {
            regset_add(site->loops, iterator);
            site->has_loops = 1;
        }
    }
}

const struct site *site_of(lua_State *L, struct sites *sites, struct code *code,
                           const struct vm_call *call, int calling)
{
    const uint32_t *instruction = call->u.lua.pc - 1;
    uint64_t hash = (uint64_t)(uintptr_t)instruction * UINT64_C(0x9E3779B97F4A7C15);
    struct site *site = &sites->known[hash >> 60];
    if (site->instruction == instruction && site->calling == calling)
        return site;
    site->instruction = NULL;
    site->calling = calling;
    site_fill(L, site, code, call);
    site->instruction = instruction;
    return site;
}
