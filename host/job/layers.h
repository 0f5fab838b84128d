/*
 * What a job that is continued has in common, to the last bit, with one that nothing disturbs. Each
 * layer can be missing: where a check at the start has failed, or by the user's choice. It is told
 * by the header of each snapshot, `ckptlua inspect` and --verbose.
 */
#ifndef CKPTLUA_JOB_LAYERS_H
#define CKPTLUA_JOB_LAYERS_H

#include <lua.h>

#include "job/host.h"

enum layers {
    LAYERS_CALLS = 1,      /* the stack of calls: locals, loops, coroutines */
    LAYERS_SEED = 2,       /* of the hashes of strings */
    LAYERS_LAYOUT = 4,     /* where each entry of a table lies: its order, and # with holes */
    LAYERS_ADDRESSES = 8,  /* of tables, functions, coroutines and userdata */
    LAYERS_COLLECTOR = 16, /* the moments at which garbage is collected */
    LAYERS_ALL = 31
};

/* The script is about to start, or to go on. What an earlier run of the job has not kept is lost
 * for good. */
void layers_begin(struct job *job);

/* Pushes {name: boolean}; and reads the table at index. */
void layers_push(lua_State *L, const struct job *job);
unsigned layers_read(lua_State *L, int index);

#endif
