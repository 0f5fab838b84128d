/*
 * The Lua state of a job: the script, compiled, and the environment it finds when it starts.
 */
#ifndef CKPTLUA_JOB_STATE_H
#define CKPTLUA_JOB_STATE_H

#include "job/host.h"

/* Makes job->L, with the script's function at index 1. Returns CKPTLUA_OK, or the exit code, with
 * the failure told; job->L may be there then. */
int state_make(struct job *job);

#endif
