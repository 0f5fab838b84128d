/*
 * The job's stdout and stderr. Where they are regular files they are treated as files the job has
 * open: their position goes into the snapshot, and they are cut back to it on continue, if the
 * bytes before it are still those (their checksum is saved too, so that this holds in a copied
 * sandbox as well).
 *
 * stdio_* functions know no Lua.
 */
#ifndef CKPTLUA_JOB_STDIO_H
#define CKPTLUA_JOB_STDIO_H

#include <stdint.h>

#include "base/error.h"
#include "store/checksum.h"

struct stdio;

/* What a snapshot records of one stream. */
struct stdio_state {
    int regular;                         /* a regular file of its own; else the rest is 0 */
    int64_t position;                    /* bytes written */
    unsigned char digest[CHECKSUM_SIZE]; /* of those bytes */
    int64_t device, inode;               /* of the file; 0 for not known */
};

/* Where a stream stands when a run begins. */
struct stdio_place {
    int64_t length;        /* bytes up to the next one; -1: not a regular file */
    int64_t device, inode; /* of the file */
};

/* What became of a stream when the job was continued. */
enum stdio_outcome {
    STDIO_AS_IT_WAS,  /* not a regular file, before or now; or nothing to do */
    STDIO_CUT_BACK,   /* cut back */
    STDIO_KEPT,       /* longer than recorded, and not to be cut */
    STDIO_EMPTIED,    /* shorter than recorded: left alone */
    STDIO_OTHER_FILE, /* its bytes are others: left alone */
    STDIO_SHARED      /* stdout and stderr are one file: left alone */
};

/* Looks at descriptors 1 and 2. With output (--output FILE) stdout is that file from now on:
 * created or emptied for a fresh job, opened as it is for a continued one.
 * Returns NULL with *error filled. */
struct stdio *stdio_open(const char *output, int continued, struct error *error);

/* Makes FILE the job's stdout from now on, as stdio_open does; nothing if it is that already. */
int stdio_set_output(struct stdio *stdio, const char *output, int continued, struct error *error);

/* Flushes and syncs both, and tells their state. `stream` 0 is stdout, 1 is stderr. */
int stdio_save(struct stdio *stdio, struct stdio_state state[2], struct error *error);

/* Puts both back. cut[i] is the length to cut stream i back to: the recorded position, or more
 * where others are known to have written behind it; negative: not at all. It is set to the length
 * that the stream goes on from. A stream that cannot be cut is reported by its outcome, or as an
 * error with
 * --output, where a shorter file is one (the message has both lengths). */
int stdio_restore(struct stdio *stdio, const struct stdio_state state[2], int64_t cut[2],
                  enum stdio_outcome outcome[2], struct error *error);

/* Tells where both stand. */
void stdio_look(struct stdio *stdio, struct stdio_place place[2]);

/* A run that was killed before its first save began at these places: cuts the streams back to them,
 * if they are still the same files. */
void stdio_undo(struct stdio *stdio, const struct stdio_place place[2]);

/* Flushes and syncs at a good end. */
int stdio_finish(struct stdio *stdio, struct error *error);

void stdio_close(struct stdio *stdio);

#endif
