/*
 * The journal of the job's files (job/files.h), kept as the note of the lock file: it outlives a
 * killed process there. Its first line says which snapshot it goes on from, "ID GENERATION".
 */
#ifndef CKPTLUA_JOB_JOURNAL_H
#define CKPTLUA_JOB_JOURNAL_H

#include "job/host.h"

/* Keeps text safe on disk; a files_journal_function whose context is the job. */
void journal_keep(void *context, const char *text);

/* What an earlier run has left that goes on from the snapshot of that job's life and generation;
 * with id NULL, from none at all (it was killed before its first save). "" if nothing. */
const char *journal_left(const struct job *job, const char *id, int64_t generation);

#endif
