#include "job/point.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "job/alive.h"
#include "job/leave.h"
#include "job/locals.h"
#include "job/module.h"
#include "job/policy.h"
#include "job/save.h"
#include "job/say.h"
#include "job/terminal.h"
#include "value/late.h"

/* The first save of a job: early, so that what cannot be saved is found early. */
#define POINT_TRIAL 1.0
/* A refused save is tried again for a while: what it is refused for may be there in passing. */
#define POINT_RETRY 0.1
#define POINT_PATIENCE 5.0

static void point_check_allowed(lua_State *L, const struct job *job)
{
    if (job->in_hook)
        luaL_error(L,
                   "the functions of ckpt.on_save, ckpt.on_resume and ckpt.register must not save");
    if (job->is_over) /* a finalizer; what it would save is half gone */
        luaL_error(L, "the job has ended, so there is nothing left to save");
}

/* ---------------------------------------------------------------- outcomes */

double point_tick(const struct job *job)
{
    if (job->child.pid != 0)
        return 0.02;
    return job->progress.wanted ? 0.25 : 1;
}

static void point_next_save(struct job *job)
{
    double interval = policy_interval(job);
    double now = clock_monotonic();
    schedule_save_at(job->schedule, interval >= SCHEDULE_NEVER ? SCHEDULE_NEVER : now + interval);
}

/* "job.ckpt of 14:01:10 is intact", or that there is none. */
static void point_intact(const struct job *job, char *out, size_t size)
{
    char time[32];
    if (!job->has_snapshot) {
        snprintf(out, size, "there is no snapshot yet");
        return;
    }
    say_time(job->last_saved, time, sizeof time);
    snprintf(out, size, "%s of %s is intact", job->shown, time);
}

static void point_say_failed(struct job *job, const struct save_result *result)
{
    char intact[300], next[64] = "";
    double interval = policy_interval(job);
    point_intact(job, intact, sizeof intact);
    if (interval < SCHEDULE_NEVER) {
        char time[32];
        say_duration(interval, time, sizeof time);
        snprintf(next, sizeof next, "; next try in %s", time);
    }
    say_note(job, "%s; %s%s", result->message, intact, next);
}

/* Whether a save that is begun now is tried again if it is refused: for a while, if it is the
 * first, or comes at any instruction. */
static int point_is_patient(const struct job *job)
{
    int anywhere = job->exact_mode && policy_interval(job) < SCHEDULE_NEVER;
    return (job->saves == 0 || anywhere) &&
           (job->first_refused == 0 || clock_monotonic() - job->first_refused < POINT_PATIENCE);
}

/* A save after which the job goes on; nobody is told of a refusal that is only one more attempt. */
static void point_save(lua_State *L, struct job *job, const struct save_request *request,
                       struct save_result *result)
{
    job->untold = point_is_patient(job);
    save_run(L, job, request, result);
}

/* A refusal. When it is to be told the job ends, if it was the first; later ones are told once for
 * each cause. */
static void point_refused(lua_State *L, struct job *job, const struct save_result *result)
{
    double now = clock_monotonic();
    if (job->first_refused == 0)
        job->first_refused = now;
    if (job->untold) {
        schedule_save_at(job->schedule, now + POINT_RETRY);
        return;
    }
    job->first_refused = 0;
    if (job->saves == 0) {
        say_failure(job->host, "cannot save %s: %s", job->script.path, result->message);
        leave_job(L, job, CKPTLUA_FAILED, 0);
    }
    if (strncmp(job->last_refusal, result->message, sizeof job->last_refusal - 1) != 0) {
        char intact[300];
        snprintf(job->last_refusal, sizeof job->last_refusal, "%.255s", result->message);
        point_intact(job, intact, sizeof intact);
        say_note(job, "cannot save %s: %s (%s; the job goes on)", job->script.path, result->message,
                 intact);
    }
    point_next_save(job);
}

/* Deals with the result of a save after which the job goes on. */
static void point_settle(lua_State *L, struct job *job, const struct save_result *result)
{
    char size[32], time[32];
    if (result->outcome == SAVE_DONE)
        job->first_refused = 0;
    switch (result->outcome) {
    case SAVE_STARTED:
        schedule_save_at(job->schedule, SCHEDULE_NEVER);
        schedule_tick_every(job->schedule, point_tick(job));
        break;
    case SAVE_DONE:
        say_size(result->size, size, sizeof size);
        say_duration(result->cost, time, sizeof time);
        say_detail(job, "saved %s (%s in %s)", job->shown, size, time);
        schedule_tick_every(job->schedule, point_tick(job));
        point_next_save(job);
        break;
    case SAVE_REFUSED:
        point_refused(L, job, result);
        break;
    case SAVE_FAILED:
        point_say_failed(job, result);
        schedule_tick_every(job->schedule, point_tick(job));
        point_next_save(job);
        break;
    }
}

/* ---------------------------------------------------------------- saves before an exit */

/* A save that had to happen: done, or the job ends with 4. */
static void point_must_save(lua_State *L, struct job *job, const struct save_request *request,
                            struct save_result *result)
{
    char intact[300];
    job->untold = job->retries > 0;
    save_run(L, job, request, result);
    if (result->outcome == SAVE_DONE)
        return;
    if (result->outcome == SAVE_REFUSED && job->retries > 0) { /* of a value in passing, perhaps */
        job->retries--;
        job->retry = 1;
        atomic_fetch_or(&job->schedule->requests, job->served);
        lua_error(L);
    }
    point_intact(job, intact, sizeof intact);
    if (result->outcome == SAVE_REFUSED)
        say_failure(job->host, "cannot save %s: %s; %s", job->script.path, result->message, intact);
    else
        say_failure(job->host, "%s; %s", result->message, intact);
    leave_job(L, job, CKPTLUA_NOT_SAVED, 0);
}

static void point_saved_text(const struct job *job, const struct save_result *result, char *out,
                             size_t size)
{
    char bytes[32], time[32];
    say_size(result->size, bytes, sizeof bytes);
    say_duration(result->cost, time, sizeof time);
    snprintf(out, size, "saved %s (%s in %s)", job->shown, bytes, time);
}

_Noreturn void point_exit(lua_State *L, struct job *job, const char *reason, const char *ended,
                          int code, int signal)
{
    char saved[400];
    struct save_result result;
    struct save_request request = {reason, ended, -1, 1};
    point_check_allowed(L, job);
    point_must_save(L, job, &request, &result);
    point_saved_text(job, &result, saved, sizeof saved);
    if (signal != 0)
        say_note(job, "%s; ending by SIG%s: %s to continue", saved, options_signal_name(signal),
                 say_again(job));
    else
        say_note(job, "%s; exit %d: %s to continue", saved, code, say_again(job));
    leave_job(L, job, code, signal);
}

/* SIGINT: saved, then the user is asked, if there is one. */
static void point_interrupt(lua_State *L, struct job *job)
{
    char saved[400], size[32], time[32];
    struct save_result result;
    struct save_request request = {"SIGINT", "stopped from the keyboard", -1, 1};
    point_must_save(L, job, &request, &result);
    atomic_store(&job->schedule->interrupted, 0);
    say_size(result.size, size, sizeof size);
    say_duration(job->computed_before + clock_monotonic() - job->started - job->saving, time,
                 sizeof time);
    snprintf(saved, sizeof saved, "saved %s (%s, after %s of work)", job->shown, size, time);
    switch (terminal_ask_to_continue(job, saved)) {
    case TERMINAL_YES:
        point_settle(L, job, &result);
        return;
    case TERMINAL_NO:
        break;
    case TERMINAL_NONE:
        say_note(job, "%s; exit %d: %s to continue", saved, CKPTLUA_INTERRUPTED, say_again(job));
    }
    leave_job(L, job, CKPTLUA_INTERRUPTED, 0);
}

/* Serves requests to exit; returns 1 if it saved on the way and the job goes on. */
static int point_serve(lua_State *L, struct job *job, int requests)
{
    const struct options *options = &job->host->options;
    int number = atomic_load(&job->schedule->signal);
    char reason[32], ended[48];
    snprintf(reason, sizeof reason, "SIG%s", number == 0 ? "?" : options_signal_name(number));
    if (number == 0)
        snprintf(reason, sizeof reason, "a request");
    snprintf(ended, sizeof ended, "evicted (%s)", reason);
    if (requests & SCHEDULE_RAISE)
        point_exit(L, job, reason, ended, CKPTLUA_AGAIN, number);
    if (requests & SCHEDULE_EXIT)
        point_exit(L, job, reason, ended, options->exit_code, options->exit_signal);
    if (requests & SCHEDULE_LIMIT)
        point_exit(L, job, "exit-after had passed", "exit-after had passed", options->exit_code,
                   options->exit_signal);
    if (requests & SCHEDULE_INTERRUPT) {
        point_interrupt(L, job);
        return 1;
    }
    return 0;
}

/* ---------------------------------------------------------------- the first point */

/* What the script has not defined again by its first safe point is told. */
static void point_check_again(lua_State *L, struct job *job)
{
    if (lua_getfield(L, LUA_REGISTRYINDEX, "ckptlua.again") == LUA_TTABLE) {
        lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
        lua_pushglobaltable(L);
        for (lua_Integer i = 1; i <= count; i++) {
            lua_rawgeti(L, -2, i);
            lua_pushvalue(L, -1);
            if (lua_type(L, -1) == LUA_TSTRING && lua_rawget(L, -3) == LUA_TNIL)
                say_note(job,
                         "the global '%s' was there when %s was saved, and %s has not made it "
                         "again",
                         lua_tostring(L, -2), job->shown, job->script.path);
            lua_pop(L, 2);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    lua_pushnil(L);
    lua_setfield(L, LUA_REGISTRYINDEX, "ckptlua.again");
}

static void point_first(lua_State *L, struct job *job)
{
    job->sweep = 0;
    module_watch_loading(L, 0);
    late_sweep(L);
    point_check_again(L, job);
}

/* ---------------------------------------------------------------- the whole */

void point_begin(struct job *job)
{
    double interval = policy_interval(job), given = job->host->options.interval;
    job->silence_at = given >= 0 ? job->started + fmax(given, 1) : SCHEDULE_NEVER;
    alive_expect_saves(job, interval);
    if (interval >= SCHEDULE_NEVER) {
        schedule_save_at(job->schedule, SCHEDULE_NEVER);
        return;
    }
    if (interval == 0)
        schedule_nudge(job->schedule);
    if (job->saves == 0)
        interval = fmin(interval, POINT_TRIAL);
    schedule_save_at(job->schedule, fmax(job->last_saved_moment, job->started) + interval);
}

static const char *point_reason(const struct job *job, int requests, int save_due)
{
    if (requests & SCHEDULE_SAVE)
        return "a signal";
    if (save_due && job->saves == 0)
        return "it was the first save";
    if (save_due)
        return "the interval had passed";
    return NULL;
}

int point_reach(lua_State *L, struct job *job, const char *reason)
{
    struct schedule *schedule = job->schedule;
    struct save_result result;
    int every = job->host->options.interval == 0, saved = 0;
    luaL_checkstack(L, 16, NULL);
    point_check_allowed(L, job);
    if (job->is_over) /* a finalizer */
        return 0;
    atomic_store(&job->reached, 1);
    atomic_store(&schedule->due, every);
    atomic_store(&schedule->nudged, 0);
    if (job->sweep)
        point_first(L, job);
    if (save_collect(L, job, 0, &result)) {
        point_settle(L, job, &result);
        saved = result.outcome == SAVE_DONE;
    }
    int requests = job->served = schedule_take_requests(schedule);
    int save_due = atomic_exchange(&schedule->save_due, 0);
    if (point_serve(L, job, requests))
        return 1;
    if (reason == NULL)
        reason = point_reason(job, requests, save_due || every);
    if (reason == NULL)
        return saved;
    /* What a child is saving is an earlier state: not what is wanted now. */
    if (save_collect(L, job, 1, &result))
        point_settle(L, job, &result);
    struct save_request request = {reason, NULL, -1, 0};
    point_save(L, job, &request, &result);
    point_settle(L, job, &result);
    if (result.outcome == SAVE_DONE || result.outcome == SAVE_STARTED) {
        if (!job->exact_mode)
            locals_warn(L, job);
        return 1;
    }
    return saved;
}

int point_save_now(lua_State *L, struct job *job, const char *reason)
{
    struct save_result result;
    struct save_request request = {reason, NULL, -1, 1};
    luaL_checkstack(L, 16, NULL);
    point_check_allowed(L, job);
    atomic_store(&job->reached, 1);
    if (job->sweep)
        point_first(L, job);
    point_save(L, job, &request, &result);
    point_settle(L, job, &result);
    if (result.outcome == SAVE_DONE)
        if (!job->exact_mode)
            locals_warn(L, job);
    return result.outcome == SAVE_DONE;
}
