/*
 * Prototypes out of lua_dump, with their analysis, and runs of Lua programs in which every register
 * that the analysis calls dead is overwritten with garbage.
 */
#ifndef CKPTLUA_TESTS_FLOW_SUPPORT_H
#define CKPTLUA_TESTS_FLOW_SUPPORT_H

#include <lua.h>

#include "exact/flow.h"

/* A function of a chunk, and those inside it. */
struct flow_proto {
    struct flow_code code;
    struct flow *flow;
    struct flow_proto *children; /* code.children_count of them */
    int arms;                    /* has to-be-closed variables */
    const char *chunk;           /* for messages */
    int line;
};

/* Compiles the text, or the file of which the name is "@..."; analyses it. Fails the test. */
struct flow_proto *flow_proto_new(const char *text, const char *name);
void flow_proto_free(struct flow_proto *proto);
int flow_proto_count(const struct flow_proto *proto);

/* Of one run. */
struct flow_run {
    unsigned long long seed; /* in and out: state of the generator */
    int every;  /* clobbers before about one in so many instructions; 0: runs undisturbed */
    long stops; /* instructions looked at */
    long frames, registers; /* overwritten */
    char *output;           /* what the program printed, or its error; for free() */
};

/* Runs a program in a state of its own. Where a register holds what it may not, where a frame
 * stands where it cannot, where the called function is not where opcode_callee says, or does not
 * give what opcode_results says, the test fails. */
void flow_run(const struct flow_proto *proto, const char *text, const char *name,
              struct flow_run *run);

/* The text that a generator, a Lua file of which the name is "@...", makes of a seed. For free().
 */
char *flow_random(const char *name, long long seed);

#endif
