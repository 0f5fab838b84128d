/*
 * An exact snapshot that is continued with --resume globals.
 */
#ifndef CKPTLUA_JOB_CONVERT_H
#define CKPTLUA_JOB_CONVERT_H

#include "job/host.h"
#include "value/unpack.h"

/* Reads what stands behind the state of a job in an exact snapshot, for the script `text` as it was
 * then, and pushes what would stand there in a snapshot of globals, as the source of the unpack
 * that is returned. Raises why that is not possible: "PATH: REASON". The text stays the caller's.
 */
struct unpack *convert_to_globals(lua_State *L, const struct job *job, struct unpack *unpack,
                                  const char *text, size_t size);

#endif
