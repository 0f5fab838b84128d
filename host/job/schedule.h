/*
 * When something is due. A helper thread sleeps until the next moment at which the job has to look
 * up, and then sets one flag, `due`, which checkpoint() reads; signal handlers set it too. Neither
 * does any work of its own.
 */
#ifndef CKPTLUA_JOB_SCHEDULE_H
#define CKPTLUA_JOB_SCHEDULE_H

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "base/error.h"

/* What is wanted of the job at its next safe point, besides a save that is due by time. */
enum schedule_request {
    SCHEDULE_SAVE = 1,      /* save and go on */
    SCHEDULE_EXIT = 2,      /* save and exit with the checkpoint code */
    SCHEDULE_RAISE = 4,     /* save and die of the signal */
    SCHEDULE_INTERRUPT = 8, /* save, ask or exit with 130 */
    SCHEDULE_LIMIT = 16     /* exit-after has passed: as SCHEDULE_EXIT */
};

#define SCHEDULE_NEVER 1e300

/* Seconds that a job gets to reach a safe point after a signal that asks it to exit. */
#define SCHEDULE_NOTICE 10.0

struct schedule {
    atomic_int due;         /* look up: one of the below */
    atomic_int save_due;    /* the time of a save has come */
    atomic_int events;      /* counts what should wake a sleeping job */
    atomic_int requests;    /* enum schedule_request, or'ed */
    atomic_int signal;      /* the signal that made the last request, or 0 */
    atomic_int interrupted; /* SIGINT has come, and what it asks for is not on disk yet */
    atomic_int busy;        /* the job is at a safe point just now, saving */
    atomic_int nudged;      /* a child that saves has ended */
    atomic_int calls;       /* counts what the job is to be called for, if it can be: on_due */
    atomic_int overdue;     /* the notice has passed and `on_overdue` was called */

    sem_t wake;
    pthread_mutex_t mutex;                       /* for the moments */
    double save_at, exit_at, notice_at, tick_at; /* monotonic seconds, or SCHEDULE_NEVER */
    double tick;                                 /* seconds between calls of on_tick, 0 for none */
    int stop;

    int events_slept; /* of the job's thread: the events that its sleeps know of */
    pthread_t thread;
    int running;

    /* Called by the helper thread. */
    void (*on_tick)(void *context);
    void (*on_overdue)(void *context);
    void (*on_due)(void *context); /* something is due, of which the job has not been told */
    void *context;
};

/* Prepares it; nothing runs yet. */
int schedule_init(struct schedule *schedule, struct error *error);

/* Starts the helper thread; it takes no signals. */
int schedule_start(struct schedule *schedule, struct error *error);

/* Ends the helper thread, if there is one. */
void schedule_stop(struct schedule *schedule);

/* Frees what schedule_init has made. */
void schedule_close(struct schedule *schedule);

/* Async-signal-safe, and from any thread, between schedule_init and schedule_close. */
void schedule_request(struct schedule *schedule, int request, int signal);

/* Takes all requests: returns them, and clears them. */
int schedule_take_requests(struct schedule *schedule);

/* The next save is due at that moment, from now on. */
void schedule_save_at(struct schedule *schedule, double moment);
void schedule_exit_at(struct schedule *schedule, double moment);
void schedule_tick_every(struct schedule *schedule, double seconds);

/* Tells the job to look up, but not at once if it sleeps. Any thread. */
void schedule_nudge(struct schedule *schedule);

/* The same, and has the job called. */
void schedule_call(struct schedule *schedule);

/* Whether a save or anything else is to be done, the setting of an interval of 0 apart. */
int schedule_is_due(struct schedule *schedule);

/* Waits up to `seconds`, or until something is due; each event ends one sleep only, so that a job
 * that pays no heed is not kept awake. Returns the seconds left, 0 if none. */
double schedule_sleep(struct schedule *schedule, double seconds);

#endif
