/*
 * What a job has written, from buffers to disk.
 */
#ifndef CKPTLUA_JOB_FILESYNC_H
#define CKPTLUA_JOB_FILESYNC_H

#include <lua.h>

/* Flushes and syncs what is open for writing, syncs what was closed since the last time, and the
 * directories of new files. Raises an error that names the file. */
void filesync_flush(lua_State *L);

/* Closes all that is open for writing. */
void filesync_close(lua_State *L);

#endif
