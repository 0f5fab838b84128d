/*
 * What a function's code tells of its registers at each instruction: which are needed, which are
 * armed to-be-closed, on which upvalues can be open, which the interpreter relies on. Knows no
 * lua_State.
 *
 * Costs per instruction, for each 64 registers: 8 bytes, and 8 more for each of these that the
 * function has at all: captured variables, table constructors with items, numeric loops, method
 * names beyond the first 256 constants; 24 for to-be-closed variables and generic loops; and 2
 * bytes. 100,000 instructions took 4 ms and 1 MB as a rule, 45 ms and 10 MB with all of these in
 * 12 nested loops with 70 registers.
 *
 * Where `calling` is asked for: 0 means that the frame is about to execute the instruction at pc;
 * 1, that a function called by that instruction runs (opcode_calls). Answers for a pc at which no
 * frame can stand (flow_reachable) mean nothing.
 */
#ifndef CKPTLUA_EXACT_FLOW_H
#define CKPTLUA_EXACT_FLOW_H

#include <stdint.h>

#include "base/error.h"
#include "exact/regset.h"

/* A local variable of the debug information: active at start <= pc < end. In Lua's order. */
struct flow_local {
    int start, end;
};

/* What the closures of one child function capture of this function's registers. */
struct flow_child {
    const unsigned char *registers; /* its upvalues with instack */
    int count;
};

/* A function's prototype, as lua_dump or Lua's memory has it. */
struct flow_code {
    const uint32_t *code;
    int size;      /* instructions */
    int registers; /* maxstacksize */
    int parameters;
    int is_vararg;
    const struct flow_local *locals;
    int locals_count;
    const struct flow_child *children;
    int children_count;
};

struct flow;

/* The arrays stay the caller's and are needed until flow_free. Whatever is in them, nothing outside
 * of them is read; code that no compiler has made may be refused (ERROR_INVALID) or be told
 * nonsense of. NULL with *error filled. */
struct flow *flow_new(const struct flow_code *code, struct error *error);
void flow_free(struct flow *flow);

/* Whether a frame can stand before the instruction at pc (any int). */
int flow_reachable(const struct flow *flow, int pc);

/* The registers whose values must be kept: read later; or an active local variable, also one that
 * is never read again; or waiting for their local to be declared; or perhaps armed, or with an open
 * upvalue. With open operands ("up to the top") that is all from the first one on. Registers from
 * maxstacksize on may be in the set or not. */
void flow_live(const struct flow *flow, int pc, int calling, uint64_t set[REGSET_WORDS]);

/* How many registers local variables have at pc: these are registers 0 to that - 1. */
int flow_active(const struct flow *flow, int pc);

/* The registers armed to-be-closed on some way to pc, and those armed on every way (a value that is
 * nil or false never is). What the instruction at pc closes is in `some` only, also for a frame
 * that is about to execute it: it begins anew after each __close handler that yields. While such a
 * handler of a CLOSE runs, it is that of the second register below the called function; this one
 * and those above it are no longer armed.
 *
 * Scope counts: up to 5.4.8 there are ways to leave a scope without its being closed (a `goto` to a
 * label at the end of a block that has declared more variables since; 5.4.4: a generic `for` with a
 * `break` and a closure in it). What is then still armed flow_left_armed tells. */
void flow_armed(const struct flow *flow, int pc, uint64_t some[REGSET_WORDS],
                uint64_t every[REGSET_WORDS]);

/* The registers that can be armed by whatever the compiler has done: one that it has left armed
 * behind its scope too. */
void flow_left_armed(const struct flow *flow, int pc, uint64_t set[REGSET_WORDS]);

/* The registers on which an upvalue can be open, by whatever the compiler has done: one that it has
 * left open behind its scope (as above) too. */
void flow_open(const struct flow *flow, int pc, int calling, uint64_t set[REGSET_WORDS]);

/* The registers that some closure made by a reachable instruction captures. */
void flow_captured(const struct flow *flow, uint64_t set[REGSET_WORDS]);

/* What the interpreter will take for granted, now or later, of the values that registers have. No
 * upvalue may be open on them. */
struct flow_trust {
    uint64_t tables[REGSET_WORDS];  /* tables */
    uint64_t strings[REGSET_WORDS]; /* strings */
    uint64_t numbers[REGSET_WORDS]; /* each the first of three integers or of three floats */
};
void flow_trusted(const struct flow *flow, int pc, int calling, struct flow_trust *trust);

#endif
