/*
 * Safe points: the places in a script where its state may be saved. With --resume globals these are
 * the calls of checkpoint() and its relatives.
 */
#ifndef CKPTLUA_JOB_POINT_H
#define CKPTLUA_JOB_POINT_H

#include "job/host.h"

/* Seconds between looks of the helper thread. */
double point_tick(const struct job *job);

/* The script has reached a safe point and something is due, or it asks for a save itself (`reason`
 * is not NULL then). Saves if so, and leaves the job if that is asked for. Returns 1 if it saved.
 * L is the running thread; nothing may be on it that has to stay. */
int point_reach(lua_State *L, struct job *job, const char *reason);

/* Saves now and waits until it is on disk: for ckpt.mark. Returns 1, or 0 after a message. */
int point_save_now(lua_State *L, struct job *job, const char *reason);

/* Saves now and leaves the job with that code. */
_Noreturn void point_exit(lua_State *L, struct job *job, const char *reason, const char *ended,
                          int code, int signal);

/* Sets the time of the next save: of the first one of this run, or when the interval has changed.
 */
void point_begin(struct job *job);

#endif
