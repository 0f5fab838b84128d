/*
 * A good end of a job: its output is safe on disk before its snapshot goes.
 */
#ifndef CKPTLUA_JOB_FINISH_H
#define CKPTLUA_JOB_FINISH_H

#include "job/host.h"

/* Makes the last snapshot of --on-finish keep; closes and syncs the job's files, and stdout; then
 * the snapshot and its generations go, or are emptied, or stay. With `close` the state is closed
 * on the way, and what its finalizers write is safe too: job->L is NULL then. L is the running
 * thread. Returns CKPTLUA_OK, or the exit code after a message; the snapshot is as it was then.
 * Raises nothing. */
int finish_job(lua_State *L, struct job *job, int close);

/* Closes the state: the finalizers run, in a job that is over. */
void finish_close_state(struct job *job);

#endif
