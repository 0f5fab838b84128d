/*
 * Continuing: finding the snapshot to go on from, and putting its state back.
 */
#ifndef CKPTLUA_JOB_LOAD_H
#define CKPTLUA_JOB_LOAD_H

#include "job/header.h"
#include "job/host.h"
#include "store/snapshot.h"

struct load {
    struct snapshot_reader *reader; /* NULL: a fresh start */
    struct header header;
    int unpack; /* stack index of the reader's struct unpack: next comes the state */
};

/* Decides between a fresh start and a snapshot, sets aside what is damaged or unwanted
 * (--fresh, --from), checks that the snapshot is this job's. Pushes one value on L. Says what there
 * is to say. Returns CKPTLUA_OK, or the exit code. */
int load_open(lua_State *L, struct job *job, struct load *load);

/* The same in another state, when --fresh and --from have been served. */
int load_open_again(lua_State *L, struct job *job, struct load *load);

/* Puts back the state and the globals. After a failure the state L is not to be used. Returns as
 * above. Closes the reader. */
int load_restore(lua_State *L, struct job *job, struct load *load);

/* A fresh start: undoes what a run that was killed before its first save has appended to files.
 * Returns as above. */
int load_nothing(lua_State *L, struct job *job);

/* The seed that the job probably has: what looks like it in the first bytes of FILE, nothing of
 * which is checked. Returns 0 where there is nothing like it. */
int load_peek_seed(const char *file, int64_t *seed);

void load_close(struct load *load);

/* Makes the type of userdata that ckpt.load needs: when the state is opened, so that it is there in
 * all processes of a job alike. */
void load_open_type(lua_State *L);

/* ckpt.load: pushes a table of the variables in FILE. Raises. */
void load_variables(lua_State *L, const char *file);

/* Pushes the header of FILE with `bytes` added. Raises. */
void load_header(lua_State *L, const char *file);

#endif
