/*
 * What the next run must know if this one is killed, and the snapshot cannot tell: the journal of
 * the job's files (job/files.h), and where stdout and stderr stood when this run began. It is kept
 * as the note of the lock file, which outlives a killed process. Its first line says which snapshot
 * it goes on from: "ID GENERATION", followed by length, device and inode of both streams.
 */
#ifndef CKPTLUA_JOB_JOURNAL_H
#define CKPTLUA_JOB_JOURNAL_H

#include "job/host.h"

/* Keeps text safe on disk; a files_journal_function whose context is the job. */
void journal_keep(void *context, const char *text);

/* This run begins, with its streams as they are now, behind a snapshot or none: keeps that, if it
 * matters, beside what is kept already. */
void journal_begin(struct job *job);

/* A save has succeeded: where the streams stood before it does not matter any more. */
void journal_forget_places(struct job *job);

/* Whether the next run would need what is kept, if this one ended now. */
int journal_is_needed(const struct job *job);

void journal_close(struct job *job);

/* Takes over what an earlier run has left that goes on from the snapshot of that job's life and
 * generation; with id NULL, from none at all (it was killed before its first save). "" if nothing.
 */
const char *journal_take(struct job *job, const char *id, int64_t generation);

/* Where the streams stood when the first run began that went on from just that snapshot. The
 * lengths are -1 where there was none, or it is not known. */
void journal_places(const struct job *job, const char *id, int64_t generation,
                    struct stdio_place places[2]);

#endif
