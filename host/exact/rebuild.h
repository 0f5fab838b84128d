/*
 * Descriptions to threads and functions: the mirror of capture.h. What a description says is
 * checked against the code of the functions in it before anything of a thread is made.
 */
#ifndef CKPTLUA_EXACT_REBUILD_H
#define CKPTLUA_EXACT_REBUILD_H

#include "exact/exact.h"

/* Of code_reader. */
void rebuild_chunk(lua_State *L, void *context);
void rebuild_function(lua_State *L, void *context, int chunk, uint32_t number, uint64_t place);
void rebuild_thread(lua_State *L, void *context, uint64_t place);
void rebuild_made(lua_State *L, void *context, const char *kind, int count);
void rebuild_finish(lua_State *L, void *context, int functions, int threads);

/* Makes the stacks of all threads, when the values that they refer to are there: after
 * rebuild_finish, and when what was not in the snapshot (late.h) has been put in place. has_run:
 * functions of the script may have run since. */
void rebuild_threads(lua_State *L, struct exact *exact, int has_run);

#endif
