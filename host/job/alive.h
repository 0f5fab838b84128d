/*
 * Signs of life: while a job runs, its helper thread marks now and then in the lock file how far
 * the run is. The run that follows a killed one tells by that when it was last seen and how much of
 * its work is lost, for the history of runs (job/history.h).
 *
 * The mark has a line for each run that no snapshot knows of, the present one last:
 *
 *     ID NUMBER START SEEN COMPUTED HOST ENDED
 *
 * the identity of the job's life, the number of the run, when it began and when this was written
 * (wall clock), the work done by then (all three in microseconds), and how it ended, if it could
 * say that itself ("-" otherwise).
 */
#ifndef CKPTLUA_JOB_ALIVE_H
#define CKPTLUA_JOB_ALIVE_H

#include "job/header.h"
#include "job/host.h"

/* Tells the history, as the snapshot to continue has it, of the runs that the last holder of the
 * lock has left word of. */
void alive_take(struct job *job, const struct header *header);

/* This run begins, is to save every so many seconds. */
void alive_begin(struct job *job);
void alive_expect_saves(struct job *job, double interval);

/* To be called by the helper thread, every second or more often. */
void alive_tick(struct job *job, double now);

/* This run ends in the middle of the job, without a save, and the lock file stays. There is no
 * helper thread any more. */
void alive_end(struct job *job);

#endif
