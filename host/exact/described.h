/*
 * What a snapshot says about the calls of a thread (capture.h), read and checked: against the code
 * of the functions in it, and for what the interpreter takes for granted. rebuild.c makes of it
 * what has passed.
 */
#ifndef CKPTLUA_EXACT_DESCRIBED_H
#define CKPTLUA_EXACT_DESCRIBED_H

#include <stdint.h>

#include "exact/capture.h"
#include "exact/exact.h"
#include "exact/points.h"

/* A call, as it will be on the stack. Places are indices of slots. */
struct described_call {
    const struct vm_prototype *prototype; /* NULL: a C function, */
    const struct exact_point *point;      /* one of these; or NULL, in a thread that has failed */
    int place, function, end; /* where the caller put it; where it is; behind its last slot */
    int pc, extra, results;
    int tail, negated;
};

struct described {
    lua_State *L;
    struct exact *exact;
    int description; /* stack index */
    lua_State *co;   /* rebuild.c's: the thread that is made of it, */
    int upvalues;    /* and the stack index of the table of upvalues */
    int failed, status;
    int base;  /* slots of the base call */
    int room;  /* slots of the stack, as it was */
    int slots; /* that are needed: a call that waits for another one has registers above that */
    int64_t *allowed, *rooms; /* slots that this and the other threads may have yet: needed ones,
                                 and those that they only had */
    int count;
    struct described_call *calls;
};

/* Reads the description; given are L, exact, description, allowed and rooms. Raises what makes no
 * sense. Leaves the userdata that the calls are in on the stack. */
void described_read(struct described *described);

/* Raises that what the snapshot says about a part of the stack makes no sense. */
_Noreturn void described_nonsense(lua_State *L, const char *what);

#endif
