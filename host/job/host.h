/*
 * A host (the public handle) and the job it runs, as the files of this layer share them.
 */
#ifndef CKPTLUA_JOB_HOST_H
#define CKPTLUA_JOB_HOST_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/types.h>

#include "ckptlua.h"
#include "exact/exact.h"
#include "exact/heap.h"
#include "job/files.h"
#include "job/history.h"
#include "job/options.h"
#include "job/progress.h"
#include "job/schedule.h"
#include "job/script.h"
#include "job/signals.h"
#include "job/stdio.h"
#include "store/lock.h"

struct ckptlua {
    struct options options;
    char message[1024]; /* the last failure */
    ckptlua_message_function *on_message;
    void *message_context;
    ckptlua_open_function *on_open;
    void *open_context;
    ckptlua_exit_function *on_exit;
    void *exit_context;
    int handle_signals, has_run;
    pthread_mutex_t speak;     /* one message at a time, and none inside the bar */
    struct schedule schedule;  /* of its job; here, as requests may come at any time */
    struct progress *progress; /* of the job that runs, or NULL */
};

/* A save that a forked child is doing. */
struct saving_child {
    _Atomic pid_t pid; /* 0: none; the helper thread looks at it too */
    double started;
    struct saving_result *result; /* in memory shared with the child */
};

/* What the script has told the collector; -1: nothing. */
struct collector {
    int incremental; /* not generational */
    int waits; /* to be told, since that collects: until a script that has stopped it wants it */
    int pause, stepmul, stepsize, minor, major;
};

/* Atomic is what the helper thread reads while the job's thread may write it. */
struct job {
    ckptlua *host;
    struct heap heap; /* of the state */
    lua_State *L;     /* the main thread of the state; the script's is a coroutine of it */
    struct exact exact;
    int continued;          /* this run goes on from a snapshot */
    int exact_mode;         /* the stack of calls is saved too */
    unsigned layers;        /* enum layers */
    int deterministic;      /* the collector's moments are repeatable, for the job's whole life */
    struct error not_exact; /* why it cannot be; */
    struct error not_laid;  /* why tables do not keep their layout */
    pthread_t thread;       /* the one that runs the script */
    struct script script;
    char *file;  /* the snapshot, links followed */
    char *shown; /* the snapshot as messages name it */
    struct lock *lock;
    struct stdio *stdio;
    struct schedule *schedule; /* the host's */
    struct signals signals;
    struct files_host files;
    struct stdio_place places[2]; /* where the streams stood when this run began */
    char *journal;                /* the text that journal_keep has kept last, or NULL */
    char *earlier;                /* the same of before the last save; see journal.h */
    struct history history;
    struct progress progress;
    struct saving_child child;

    char id[33];            /* of this job's life: random, hexadecimal */
    int64_t seed, new_seed; /* of a new life, which this run may begin */
    int64_t resumed, saves, generation;
    double started;         /* monotonic */
    double computed_before; /* seconds, in earlier runs */
    double saving_before;
    _Atomic double saving;            /* seconds that this run has stood still for saves */
    double clock_before;              /* os.clock of earlier runs */
    double last_saved;                /* wall clock of the snapshot on disk, 0 for none */
    _Atomic double last_saved_moment; /* monotonic, this run's last save; 0 for none */
    _Atomic double silence_at; /* monotonic: a script that has reached no point by then is told */
    double last_cost;          /* seconds the last save took from begin to commit */
    uint64_t last_size;        /* bytes of it */
    int has_written;           /* this run has begun to save: FILE is ours even after a failure */
    atomic_int has_snapshot;   /* FILE is ours: loaded, or saved by this run */
    double first_refused;      /* monotonic; 0: not refused */
    int untold;                /* a refusal of the save that is being done is not told to anybody */
    int is_running;            /* the script has been started, and has not ended well */
    int apart;                 /* ckpt.save or ckpt.load is at work */
    int in_hook;               /* on_save, on_resume or a class's function runs */
    char alive_before[LOCK_MARK_MAX + 1]; /* marks of runs that are in no snapshot yet */
    double alive_computed, alive_marked;  /* helper thread: work and moment of the last mark */
    _Atomic double alive_every;           /* seconds */
    int collects;                         /* the script's collector is not stopped */
    struct collector collector;
    int registry_told;  /* that what is put there is not saved */
    int attempts;       /* of the hook to save, in vain */
    int served;         /* the requests that are being dealt with */
    int retries, retry; /* that a refused save before an exit has; it is to be tried again */
    int held_told;
    double held_since;     /* monotonic: a save waits since then; 0: none does */
    char held_by[200];     /* what it waits for */
    double interrupt_seen; /* helper thread: monotonic; 0: none waits */
    int interrupt_told;
    int warned_of_silence;  /* helper thread: no checkpoint() was reached */
    int sweep;              /* values that the script defines again are still to be put in place */
    char last_refusal[256]; /* said already */
    atomic_int reached;     /* a safe point was reached in this run */
    int old_life;   /* older generations are there, of a life that was ended by removing FILE */
    int is_over;    /* the script has ended: nothing is saved any more */
    int is_closing; /* the state is being closed, or was: finalizers run */
    int leaving;    /* unwinding; the exit code is `code` */
    int code;
    char failure[1024];           /* why a file could not be written while the state was closed */
    struct snapshot_writer *last; /* of --on-finish keep; see save_commit_last */
};

/* ckpt.save or ckpt.load is at work, which the functions of a class may call again: no open file is
 * saved, and nothing is saved but by ckpt.save. The job may be NULL. */
struct host_apart {
    int apart, in_hook; /* as they were */
};
struct host_apart host_begin_apart(struct job *job);
void host_end_apart(struct job *job, struct host_apart before);

/* The job of a state. */
struct job *host_job(lua_State *L);
void host_set_job(lua_State *L, struct job *job);

#endif
