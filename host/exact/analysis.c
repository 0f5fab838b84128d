#include "exact/analysis.h"

#include <stdlib.h>

#include <lauxlib.h>

struct analysis {
    struct flow *flow;
    struct flow_code code;
    struct flow_local *locals;
    struct flow_child *children;
    unsigned char *registers; /* of all children, one after the other */
};

void analysis_free(struct analysis *analysis)
{
    if (analysis == NULL)
        return;
    flow_free(analysis->flow);
    free(analysis->locals);
    free(analysis->children);
    free(analysis->registers);
    free(analysis);
}

/* The registers that each child captures. */
static void analysis_read_children(struct analysis *analysis, const struct vm_prototype *prototype)
{
    unsigned char *at = analysis->registers;
    for (int32_t i = 0; i < prototype->children_count; i++) {
        const struct vm_prototype *child = prototype->children[i];
        analysis->children[i].registers = at;
        for (int32_t u = 0; u < child->upvalues_count; u++)
            if (child->upvalues[u].in_stack)
                *at++ = child->upvalues[u].index;
        analysis->children[i].count = (int)(at - analysis->children[i].registers);
    }
}

static int analysis_fill(struct analysis *analysis, const struct vm_prototype *prototype)
{
    size_t locals = (size_t)prototype->locals_count, children = (size_t)prototype->children_count;
    size_t registers = 0;
    for (size_t i = 0; i < children; i++)
        registers += (size_t)prototype->children[i]->upvalues_count;
    analysis->locals = calloc(locals + 1, sizeof *analysis->locals);
    analysis->children = calloc(children + 1, sizeof *analysis->children);
    analysis->registers = malloc(registers + 1);
    if (analysis->locals == NULL || analysis->children == NULL || analysis->registers == NULL)
        return -1;
    for (size_t i = 0; i < locals; i++)
        analysis->locals[i] =
            (struct flow_local){prototype->locals[i].start, prototype->locals[i].end};
    analysis_read_children(analysis, prototype);
    analysis->code = (struct flow_code){
        .code = prototype->code,
        .size = prototype->code_size,
        .registers = prototype->registers,
        .parameters = prototype->parameters,
        .is_vararg = prototype->is_vararg,
        .locals = analysis->locals,
        .locals_count = prototype->locals_count,
        .children = analysis->children,
        .children_count = prototype->children_count,
    };
    return 0;
}

const struct flow *analysis_of(lua_State *L, struct code *code,
                               const struct vm_prototype *prototype)
{
    struct code_chunk *chunk;
    struct error error = {.message = "not enough memory"};
    uint32_t number;
    if (!code_find(L, code, prototype, &chunk, &number))
        luaL_error(L, "a function that runs has no source text that is known");
    if (chunk->analyses == NULL)
        chunk->analyses = calloc(chunk->count, sizeof(struct analysis *));
    if (chunk->analyses == NULL)
        luaL_error(L, "%s", error.message);
    struct analysis *analysis = chunk->analyses[number];
    if (analysis != NULL)
        return analysis->flow;
    analysis = calloc(1, sizeof *analysis);
    if (analysis == NULL)
        luaL_error(L, "%s", error.message);
    const struct flow *flow = NULL;
    if (analysis_fill(analysis, prototype) == 0)
        flow = analysis->flow = flow_new(&analysis->code, &error);
    if (flow != NULL) {
        chunk->analyses[number] = analysis;
        return flow;
    }
    analysis_free(analysis);
    luaL_error(L, "%s", error.message);
    return NULL;
}
