#include "exact/analysis.h"

#include <stdlib.h>

#include <lauxlib.h>

struct analysis {
    struct flow *flow;
    struct flow_code code;
    struct flow_local *locals;
    struct flow_child *children;
    unsigned char *registers; /* of all children, one after the other */
    uint32_t print;
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

/* Mixes a number into the hash (FNV-1a, by words rather than bytes, and so with a shift). */
static void analysis_mix(uint64_t *hash, uint64_t word)
{
    *hash = (*hash ^ word) * UINT64_C(0x100000001B3);
    *hash ^= *hash >> 32;
}

/* Not where local variables begin and end: releases tell that in other ways of the same
 * instructions, an instruction earlier or later, and no more than debug.getlocal depends on it. */
static uint32_t analysis_hash(const struct vm_prototype *prototype)
{
    uint64_t hash = UINT64_C(0xCBF29CE484222325);
    analysis_mix(&hash, (uint64_t)prototype->registers << 16 |
                            (uint64_t)prototype->parameters << 8 | (prototype->is_vararg != 0));
    analysis_mix(&hash, (uint64_t)prototype->code_size);
    for (int32_t i = 0; i < prototype->code_size; i++)
        analysis_mix(&hash, prototype->code[i]);
    analysis_mix(&hash, (uint64_t)prototype->constants_count);
    for (int32_t i = 0; i < prototype->constants_count; i++)
        analysis_mix(&hash, prototype->constants[i].tag);
    analysis_mix(&hash, (uint64_t)prototype->upvalues_count);
    for (int32_t i = 0; i < prototype->upvalues_count; i++)
        analysis_mix(&hash, (uint64_t)(prototype->upvalues[i].in_stack != 0) << 8 |
                                prototype->upvalues[i].index);
    analysis_mix(&hash, (uint64_t)prototype->children_count);
    return (uint32_t)hash;
}

/* NULL with *error filled. */
static struct analysis *analysis_new(const struct vm_prototype *prototype, struct error *error)
{
    struct analysis *analysis = calloc(1, sizeof *analysis);
    if (analysis == NULL)
        return NULL;
    if (analysis_fill(analysis, prototype) == 0)
        analysis->flow = flow_new(&analysis->code, error);
    if (analysis->flow == NULL) {
        analysis_free(analysis);
        return NULL;
    }
    analysis->print = analysis_hash(prototype);
    return analysis;
}

static const struct analysis *analysis_find(lua_State *L, struct code *code,
                                            const struct vm_prototype *prototype)
{
    struct code_chunk *chunk;
    struct error error = {.message = "not enough memory"};
    uint32_t number;
    if (!code_find(L, code, prototype, &chunk, &number))
        luaL_error(L, "a function that is being called has no source text that is known");
    if (chunk->analyses == NULL)
        chunk->analyses = calloc(chunk->count, sizeof(struct analysis *));
    if (chunk->analyses != NULL && chunk->analyses[number] == NULL)
        chunk->analyses[number] = analysis_new(prototype, &error);
    if (chunk->analyses == NULL || chunk->analyses[number] == NULL)
        luaL_error(L, "%s", error.message);
    return chunk->analyses[number];
}

const struct flow *analysis_of(lua_State *L, struct code *code,
                               const struct vm_prototype *prototype)
{
    return analysis_find(L, code, prototype)->flow;
}

uint32_t analysis_print(lua_State *L, struct code *code, const struct vm_prototype *prototype)
{
    return analysis_find(L, code, prototype)->print;
}
