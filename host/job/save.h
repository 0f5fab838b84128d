/*
 * Saving: from the running script to a new snapshot file.
 */
#ifndef CKPTLUA_JOB_SAVE_H
#define CKPTLUA_JOB_SAVE_H

#include "job/host.h"

enum save_outcome {
    SAVE_DONE,    /* the snapshot is on disk */
    SAVE_STARTED, /* a child is writing it */
    SAVE_REFUSED, /* a value cannot be saved, or on_save failed: `message` */
    SAVE_FAILED   /* it could not be written: `message` */
};

struct save_request {
    const char *reason; /* for the header */
    const char *ended;  /* how this run ends with this save, or NULL if it goes on */
    int finished;       /* the exit code of the job that has ended, or -1: see save_commit_last */
    int complete;       /* must be on disk when save_run returns */
};

struct save_result {
    enum save_outcome outcome;
    char message[1024];
    double cost;   /* seconds from start to commit */
    uint64_t size; /* bytes */
};

/* Saves the state as it is now; L is the running thread. Raises nothing. A child that still saves
 * is waited for first; what it tells is lost, so call save_collect before. */
void save_run(lua_State *L, struct job *job, const struct save_request *request,
              struct save_result *result);

/* Looks whether the child has ended, waiting for it if `wait` is set. Returns 1 with *result filled
 * if it has ended just now; L as above. */
int save_collect(lua_State *L, struct job *job, int wait, struct save_result *result);

/* A save of a job that has ended is written, but becomes FILE only now: until then the job may turn
 * out not to have ended well. Does nothing where there is none. */
int save_commit_last(struct job *job, struct error *error);

/* Ends a child that still saves, without its result; drops what save_commit_last
 * was not called for. */
void save_abandon(struct job *job);

/* Waits for a child that saves: the job ends, but not well, and that state is to be there. */
void save_wait(struct job *job);

/* ckpt.on_save: adds the function at index. */
void save_add_hook(lua_State *L, int index);

/* Pushes the list of these functions; and takes another one, on top, instead. */
void save_push_hooks(lua_State *L);
void save_set_hooks(lua_State *L);

/* ckpt.save: the table at index to FILE, now. Raises. */
void save_variables(lua_State *L, struct job *job, const char *file, int index);

#endif
