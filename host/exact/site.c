#include "exact/site.h"

#include <string.h>

#include "exact/analysis.h"
#include "exact/opcode.h"

void site_forget(struct sites *sites)
{
    for (int i = 0; i < SITE_KNOWN; i++)
        sites->known[i].instruction = NULL;
}

/* Fills all but what tells whether it is filled. */
static void site_fill(lua_State *L, struct site *site, struct code *code,
                      const struct vm_prototype *prototype, int pc)
{
    uint64_t some[REGSET_WORDS];
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
                           const struct vm_prototype *prototype, int pc, int calling)
{
    const uint32_t *instruction = prototype->code + pc;
    uint64_t hash = (uint64_t)(uintptr_t)instruction * UINT64_C(0x9E3779B97F4A7C15);
    struct site *site = &sites->known[hash >> 60];
    if (site->instruction == instruction && site->calling == calling)
        return site;
    site->instruction = NULL;
    site->calling = calling;
    site_fill(L, site, code, prototype, pc);
    site->instruction = instruction;
    return site;
}
