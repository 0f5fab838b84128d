/*
 * What the next run must know if this one is killed, and the snapshot cannot tell: the journal of
 * the job's files (job/files.h), and where stdout and stderr stood when this run began. It is kept
 * as the note of the lock file, which outlives a killed process. Its first line says which snapshot
 * it goes on from: "ID GENERATION", followed by length, device and inode of both streams. Then come
 * the lines of the journal. A line "save N" stands where snapshot N was saved: to those who go on
 * from that one, as FILE or as FILE.1, what stands behind it is still to come. What only
 * generations need that are not kept any more is left out.
 */
#ifndef CKPTLUA_JOB_JOURNAL_H
#define CKPTLUA_JOB_JOURNAL_H

#include "job/host.h"

/* Nothing is kept yet. */
void journal_open(struct job *job);

/* Keeps text safe on disk; a files_journal_function whose context is the job. */
void journal_keep(void *context, const char *text, const char *told);

/* This run begins, with its streams as they are now, behind a snapshot or none: keeps that, if it
 * matters, beside what is kept already. It is safe on disk after journal_sync only, as a start
 * would be slow otherwise: a power loss before that may have lines of stdout come twice which the
 * system has written to disk by itself. A kill does no harm. */
void journal_begin(struct job *job);

/* To be called before the streams are synced: what journal_begin kept must not come to disk behind
 * what was printed since. */
void journal_sync(struct job *job);

/* A save has succeeded: where the streams stood before it does not matter any more. */
void journal_forget_places(struct job *job);

/* Whether the next run would need what is kept, if this one ended now. */
int journal_is_needed(const struct job *job);

void journal_close(struct job *job);

/* Takes over what earlier runs have left that is still to come for the snapshot of that job's life
 * and generation; with id NULL, for none at all (they were killed before their first save). "" if
 * nothing. */
const char *journal_take(struct job *job, const char *id, int64_t generation);

/* Another snapshot of that life is about to take FILE's place, of that generation: adds lines that
 * are to come for it, and were in FILE. */
void journal_insert(struct job *job, const char *id, int64_t generation, const char *lines);

/* Where the streams stood when the first run began that went on from just that snapshot. The
 * lengths are -1 where there was none, or it is not known. */
void journal_places(const struct job *job, const char *id, int64_t generation,
                    struct stdio_place places[2]);

#endif
