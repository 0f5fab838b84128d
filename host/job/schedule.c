#include "job/schedule.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"

int schedule_init(struct schedule *schedule, struct error *error)
{
    memset(schedule, 0, sizeof *schedule);
    schedule->save_at = schedule->exit_at = SCHEDULE_NEVER;
    schedule->notice_at = schedule->tick_at = SCHEDULE_NEVER;
    if (sem_init(&schedule->wake, 0, 0) != 0)
        return error_set_system(error, "making a semaphore failed");
    pthread_mutex_init(&schedule->mutex, NULL);
    return 0;
}

static struct timespec schedule_timespec(double seconds)
{
    struct timespec time;
    double whole = floor(seconds);
    time.tv_sec = whole > 1e12 ? (time_t)1e12 : (time_t)whole;
    time.tv_nsec = (long)((seconds - whole) * 1e9);
    return time;
}

/* Sets the flags of all moments that have come; returns the next one. */
static double schedule_look(struct schedule *schedule, double now, int *tick, int *overdue)
{
    pthread_mutex_lock(&schedule->mutex);
    if (now >= schedule->save_at) {
        schedule->save_at = SCHEDULE_NEVER;
        atomic_store(&schedule->save_due, 1);
        atomic_fetch_add(&schedule->events, 1);
        atomic_fetch_add(&schedule->calls, 1);
        atomic_store(&schedule->due, 1);
    }
    if (now >= schedule->exit_at) {
        schedule->exit_at = SCHEDULE_NEVER;
        schedule_request(schedule, SCHEDULE_LIMIT, 0);
    }
    int exits = SCHEDULE_EXIT | SCHEDULE_RAISE | SCHEDULE_LIMIT;
    if ((atomic_load(&schedule->requests) & exits) == 0)
        schedule->notice_at = SCHEDULE_NEVER;
    else if (schedule->notice_at == SCHEDULE_NEVER)
        schedule->notice_at = now + SCHEDULE_NOTICE;
    else if (now >= schedule->notice_at) {
        /* A save that is under way is a safe point that was met. */
        *overdue = !atomic_load(&schedule->busy);
        schedule->notice_at = now + (*overdue ? SCHEDULE_NOTICE : 1);
    }
    if (schedule->tick > 0 && now >= schedule->tick_at) {
        schedule->tick_at = now + schedule->tick;
        *tick = 1;
    }
    double next = fmin(fmin(schedule->save_at, schedule->exit_at),
                       fmin(schedule->notice_at, schedule->tick_at));
    pthread_mutex_unlock(&schedule->mutex);
    return next;
}

static int schedule_should_stop(struct schedule *schedule)
{
    pthread_mutex_lock(&schedule->mutex);
    int stop = schedule->stop;
    pthread_mutex_unlock(&schedule->mutex);
    return stop;
}

static void *schedule_run(void *argument)
{
    struct schedule *schedule = argument;
    int called = 0;
    while (!schedule_should_stop(schedule)) {
        int tick = 0, overdue = 0;
        double next = schedule_look(schedule, clock_monotonic(), &tick, &overdue);
        if (tick && schedule->on_tick != NULL)
            schedule->on_tick(schedule->context);
        if (overdue && !atomic_exchange(&schedule->overdue, 1) && schedule->on_overdue != NULL)
            schedule->on_overdue(schedule->context);
        int calls = atomic_load(&schedule->calls);
        if (calls != called && schedule->on_due != NULL && schedule_is_due(schedule))
            schedule->on_due(schedule->context);
        called = calls;
        if (next >= SCHEDULE_NEVER) {
            sem_wait(&schedule->wake);
        } else {
            struct timespec until = schedule_timespec(next);
            sem_clockwait(&schedule->wake, CLOCK_MONOTONIC, &until);
        }
    }
    return NULL;
}

int schedule_start(struct schedule *schedule, struct error *error)
{
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int status = pthread_create(&schedule->thread, NULL, schedule_run, schedule);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (status != 0) {
        errno = status;
        return error_set_system(error, "starting the thread that keeps time failed");
    }
    schedule->running = 1;
    return 0;
}

void schedule_stop(struct schedule *schedule)
{
    if (!schedule->running)
        return;
    pthread_mutex_lock(&schedule->mutex);
    schedule->stop = 1;
    pthread_mutex_unlock(&schedule->mutex);
    sem_post(&schedule->wake);
    pthread_join(schedule->thread, NULL);
    schedule->running = 0;
}

void schedule_close(struct schedule *schedule)
{
    pthread_mutex_destroy(&schedule->mutex);
    sem_destroy(&schedule->wake);
}

void schedule_request(struct schedule *schedule, int request, int signal)
{
    int saved = errno;
    if (signal != 0)
        atomic_store(&schedule->signal, signal);
    int before = atomic_fetch_or(&schedule->requests, request);
    atomic_fetch_add(&schedule->events, 1);
    atomic_fetch_add(&schedule->calls, 1);
    atomic_store(&schedule->due, 1);
    if ((before & request) == 0) /* else whoever made it first does; no count without bounds */
        sem_post(&schedule->wake);
    errno = saved;
}

int schedule_take_requests(struct schedule *schedule)
{
    return atomic_exchange(&schedule->requests, 0);
}

static void schedule_set(struct schedule *schedule, double *moment, double value)
{
    pthread_mutex_lock(&schedule->mutex);
    *moment = value;
    pthread_mutex_unlock(&schedule->mutex);
    sem_post(&schedule->wake);
}

void schedule_save_at(struct schedule *schedule, double moment)
{
    atomic_store(&schedule->save_due, 0);
    schedule_set(schedule, &schedule->save_at, moment);
}

void schedule_exit_at(struct schedule *schedule, double moment)
{
    schedule_set(schedule, &schedule->exit_at, moment);
}

void schedule_tick_every(struct schedule *schedule, double seconds)
{
    pthread_mutex_lock(&schedule->mutex);
    schedule->tick = seconds;
    /* One that was to come earlier still does, however often this is called. */
    schedule->tick_at =
        seconds > 0 ? fmin(schedule->tick_at, clock_monotonic() + seconds) : SCHEDULE_NEVER;
    pthread_mutex_unlock(&schedule->mutex);
    sem_post(&schedule->wake);
}

int schedule_is_due(struct schedule *schedule)
{
    return atomic_load(&schedule->requests) != 0 || atomic_load(&schedule->save_due) ||
           atomic_load(&schedule->nudged);
}

void schedule_call(struct schedule *schedule)
{
    atomic_store(&schedule->nudged, 1);
    atomic_fetch_add(&schedule->calls, 1);
    schedule_nudge(schedule);
    sem_post(&schedule->wake);
}

void schedule_nudge(struct schedule *schedule)
{
    atomic_store(&schedule->due, 1);
}

double schedule_sleep(struct schedule *schedule, double seconds)
{
    double end = clock_monotonic() + seconds, left = seconds;
    while (left > 0 && atomic_load(&schedule->events) == schedule->events_slept) {
        /* Signals interrupt the sleep; the other flags are looked at ten times a second. */
        struct timespec part = schedule_timespec(fmin(left, 0.1));
        nanosleep(&part, NULL);
        left = end - clock_monotonic();
    }
    schedule->events_slept = atomic_load(&schedule->events);
    return left > 0 ? left : 0;
}
