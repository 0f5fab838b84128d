#include "num/team.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#ifdef _OPENMP
#include <omp.h>
#endif

static int team_size = 1;
static int team_is_child; /* of a fork */

static void team_forked(void)
{
    team_is_child = 1;
}

/* What the pool has granted. */
static int team_granted(void)
{
#ifdef _OPENMP
    const char *slurm = getenv("SLURM_CPUS_PER_TASK");
    int granted = getenv("OMP_NUM_THREADS") == NULL && slurm != NULL ? atoi(slurm) : 0;
    return granted > 0 ? granted : omp_get_max_threads();
#else
    return 1;
#endif
}

void team_open(void)
{
    static int is_open;
    if (is_open)
        return;
    is_open = 1;
    team_size = team_granted();
    pthread_atfork(NULL, NULL, team_forked);
}

int team_threads(void)
{
    return team_is_child ? 1 : team_size;
}

void team_set_threads(int threads)
{
    team_size = threads;
}

#ifdef _OPENMP
static void team_share(int64_t count, int threads, void (*work)(void *context, int64_t i),
                       void *context)
{
#pragma omp parallel for schedule(static) num_threads(threads)
    for (int64_t i = 0; i < count; i++)
        work(context, i);
}

/* New threads of OpenMP take no signals: these are for the thread that runs the script. */
static void team_share_anew(int64_t count, int threads, void (*work)(void *context, int64_t i),
                            void *context)
{
    static _Thread_local int last; /* threads that are there */
    sigset_t all, before;
    if (threads <= last) {
        team_share(count, threads, work, context);
    } else {
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        team_share(count, threads, work, context);
        pthread_sigmask(SIG_SETMASK, &before, NULL);
    }
    last = threads; /* OpenMP ends those that are too many */
}
#endif

void team_run(int64_t count, int wide, void (*work)(void *context, int64_t i), void *context)
{
    int threads = wide ? team_threads() : 1;
    if (threads == 1 || count < 2) {
        for (int64_t i = 0; i < count; i++)
            work(context, i);
        return;
    }
#ifdef _OPENMP
    team_share_anew(count, threads, work, context);
#endif
}
