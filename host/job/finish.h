/*
 * A good end of a job: its output is safe on disk before its snapshot goes.
 */
#ifndef CKPTLUA_JOB_FINISH_H
#define CKPTLUA_JOB_FINISH_H

#include "job/host.h"

/* While the script's state is still there: the last snapshot of --on-finish keep, then the job's
 * files are closed and synced. Returns CKPTLUA_OK, or the exit code after a message. Raises
 * nothing. */
int finish_before_close(lua_State *L, struct job *job);

/* Then: stdout is flushed and synced, and the snapshot and its generations go (or are emptied, or
 * stay). Returns as above. */
int finish_after_close(struct job *job);

#endif
