/*
 * Threads: a pass over chunks of elements is shared among them (OpenMP). What a chunk gives does
 * not depend on which thread takes it, nor on how many there are.
 *
 * As many threads as OMP_NUM_THREADS says, which pools set to what they have granted; else
 * SLURM_CPUS_PER_TASK; else as many processors as the process may use. They wait passively: a
 * thread that spins beside a neighbour's process slows both down. They take no signals.
 * A forked child has one thread: the others are not there, and a parallel region would wait for
 * them.
 */
#ifndef CKPTLUA_NUM_TEAM_H
#define CKPTLUA_NUM_TEAM_H

#include <stdint.h>

void team_open(void);

int team_threads(void);
void team_set_threads(int threads);

/* Calls work(context, i) for i from 0 to count - 1, in any order and from several threads; with
 * wide 0 from this one. */
void team_run(int64_t count, int wide, void (*work)(void *context, int64_t i), void *context);

#endif
