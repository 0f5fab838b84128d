/*
 * Exact resume, as a job needs it: saves at any instruction, what goes into the snapshot beside the
 * script's values, and going on from it.
 */
#ifndef CKPTLUA_JOB_EXACTLY_H
#define CKPTLUA_JOB_EXACTLY_H

#include "job/host.h"

/* The 32 bits that strings are hashed with, out of the job's seed. */
uint32_t exactly_hash_seed(int64_t seed);

/* Looks whether this Lua can do it: if not, job->not_exact says why. */
void exactly_check(struct job *job);

/* Sets job->exact_mode. Returns 0, or the error that says why that is not possible. */
int exactly_switch_on(struct job *job, struct error *error);

/* The texts that this job needs to keep. */
enum exact_texts exactly_texts(const struct job *job);

/* Makes the threads of the host; before the base environment is named. */
void exactly_open(lua_State *L, struct job *job);

/* The script is the function on top; remembers its text. */
void exactly_add_script(lua_State *L, struct job *job);

/* A function of the host that saves inside of its own call, when it stands on top of the stack; a
 * continued job goes on with `continuation` in its place. */
void exactly_add_point(lua_State *L, struct job *job, lua_CFunction function,
                       lua_KFunction continuation);

/* Pushes where the script is, as "job.lua:41, in function 'solve', called from job.lua:58", and
 * returns 1; or returns 0: nowhere. */
int exactly_push_place(lua_State *L, const struct job *job);

/* Pushes the table of what a snapshot begins with; and takes it back when all of it has been read:
 * transient values are made anew, then the stacks. */
void exactly_push_roots(lua_State *L, struct job *job);
void exactly_take_roots(lua_State *L, struct job *job, int roots);

/* Calls the functions of ckpt.on_resume, in a continued job before it goes on. */
void exactly_call_resumed(lua_State *L, struct job *job);

/* The script is about to go on, and the collector has begun to work in the way in which it is to:
 * what is to be finalized is marked for it. Before that no finalizer can run. */
void exactly_mark_finalizers(lua_State *L);

/* Remembers a function of ckpt.on_resume, or of ckpt.transient under its name. */
void exactly_add_resumed(lua_State *L, int index);
void exactly_add_transient(lua_State *L, const char *name, int index);

/* point_reach and its relatives, from within a call of a function of the script's thread L. Where
 * the stack cannot be captured now, reach leaves what is due for later and returns 0, the others
 * raise an error. */
int exactly_reach(lua_State *L, struct job *job, const char *reason);
int exactly_save_now(lua_State *L, struct job *job, const char *reason);
_Noreturn void exactly_exit(lua_State *L, struct job *job, const char *reason, int code,
                            int signal);

/* Something is due: from a signal handler, or another thread of the operating system. */
void exactly_request(struct job *job);

#endif
