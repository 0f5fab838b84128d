/*
 * Leaving the script in its middle: os.exit, ckpt.exit, and saves before an exit.
 */
#ifndef CKPTLUA_JOB_LEAVE_H
#define CKPTLUA_JOB_LEAVE_H

#include "job/host.h"

/* Ends the job with `code`, or by the signal if that is not 0. All that is to be saved has been.
 * Never returns: calls the host's exit function, or unwinds the script by an error. */
_Noreturn void leave_job(lua_State *L, struct job *job, int code, int signal);

/* The same, in another of the threads that leave_job unwinds. */
_Noreturn void leave_again(lua_State *L, struct job *job);

/* Gives the lock back. Its file stays if the journal in it is still needed: this run ends in the
 * middle of the job, and the next one goes on from the last snapshot. */
void leave_release_lock(struct job *job);

/* Whether the error value at index is the one that leave_job unwinds by. */
int leave_is_unwinding(lua_State *L, int index);

#endif
