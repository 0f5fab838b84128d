/*
 * The life of a job: from the script's name to an exit code.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "job/alive.h"
#include "job/exactly.h"
#include "job/finish.h"
#include "job/host.h"
#include "job/journal.h"
#include "job/layers.h"
#include "job/leave.h"
#include "job/library.h"
#include "job/load.h"
#include "job/module.h"
#include "job/point.h"
#include "job/random.h"
#include "job/run.h"
#include "job/save.h"
#include "job/say.h"
#include "job/state.h"
#include "store/generations.h"
#include "value/again.h"

/* Seconds to wait for another process that runs this job. */
#define RUN_LOCK_PATIENCE 5.0

/* ---------------------------------------------------------------- before the script */

static int run_name_snapshot(struct job *job)
{
    struct error error;
    const char *given = job->host->options.snapshot;
    job->shown = given != NULL ? strdup(given) : script_default_snapshot(&job->script);
    if (job->shown == NULL) {
        say_failure(job->host, "not enough memory");
        return CKPTLUA_FAILED;
    }
    job->file = generations_resolve(job->shown, &error);
    if (job->file == NULL) {
        say_failure(job->host, "%s", error.message);
        return CKPTLUA_USAGE;
    }
    return CKPTLUA_OK;
}

static int run_lock(struct job *job)
{
    struct error error;
    job->lock = lock_acquire(job->file, RUN_LOCK_PATIENCE, &error);
    if (job->lock != NULL) {
        if (!lock_is_real(job->lock))
            say_note(job,
                     "this file system has no locks: take care that no other process runs %s "
                     "at the same time",
                     job->script.path);
        return CKPTLUA_OK;
    }
    if (error.code == ERROR_BUSY) {
        say_failure(job->host, "%s is being run already: %s", job->script.path, error.message);
        return CKPTLUA_BUSY;
    }
    say_failure(job->host, "%s; use --snapshot to keep the state elsewhere", error.message);
    return CKPTLUA_USAGE;
}

static int run_random_bytes(void *out, size_t size)
{
    return getrandom(out, size, 0) == (ssize_t)size ? 0 : -1;
}

/* Before the state is made, whose strings are hashed with it: a seed that is new, or that of the
 * snapshot that is probably continued. */
static int run_choose_seed(struct job *job)
{
    const struct options *options = &job->host->options;
    uint64_t seed;
    if (run_random_bytes(&seed, sizeof seed) != 0) {
        say_failure(job->host, "the system gives no random numbers: %s", strerror(errno));
        return CKPTLUA_FAILED;
    }
    job->seed = options->has_seed ? options->seed : (int64_t)(seed >> 1);
    job->new_seed = job->seed;
    job->layers = LAYERS_ALL;
    if (!options->fresh)
        load_peek_seed(job->file, &job->seed);
    return CKPTLUA_OK;
}

/* A new life: an identity, and its seed for the random numbers. */
static int run_name_job(struct job *job)
{
    unsigned char id[16];
    if (run_random_bytes(id, sizeof id) != 0) {
        say_failure(job->host, "the system gives no random numbers: %s", strerror(errno));
        return CKPTLUA_FAILED;
    }
    for (int i = 0; i < 16; i++)
        snprintf(job->id + 2 * i, 3, "%02x", id[i]);
    random_seed(job->L, job->seed);
    return CKPTLUA_OK;
}

/* The state is hashed with another seed than the snapshot that is continued, or the new life, has:
 * makes another one. */
static int run_make_state_anew(struct job *job, int64_t seed)
{
    lua_close(job->L);
    exact_close(&job->exact);
    job->seed = seed;
    return state_make(job);
}

static int run_open_streams(struct job *job, int continued)
{
    struct error error;
    job->stdio = stdio_open(job->host->options.output, continued, &error);
    if (job->stdio != NULL)
        return CKPTLUA_OK;
    say_failure(job->host, "%s", error.message);
    return CKPTLUA_USAGE;
}

/* A snapshot that says `finished`: returns 1, with the exit code that it names. */
static int run_has_finished(struct job *job, struct load *load, int *code)
{
    if (load->reader == NULL || !load->header.finished)
        return 0;
    *code = load->header.exit_code;
    say_note(job, "%s has ended already, with exit code %d (%s says so); --fresh runs it again",
             job->script.path, *code, job->shown);
    load_close(load);
    return 1;
}

/* A job goes on in the way in which its snapshot was saved; but --resume globals can go on from an
 * exact one. */
static void run_follow_snapshot(struct job *job, const struct header *header)
{
    int asked = options_has_resume(&job->host->options);
    if (strcmp(header->resume, "exact") != 0) {
        if (job->exact_mode && asked)
            say_note(job,
                     "%s was saved with --resume globals, and is continued so; --fresh starts over",
                     job->shown);
        job->exact_mode = 0;
    } else if (!job->exact_mode) {
        say_note(job,
                 "%s was saved with exact resume; its global variables are kept, and %s starts "
                 "from its top",
                 job->shown, job->script.path);
    }
}

/* --deterministic: a job has one answer for its whole life. */
static void run_choose_collector(struct job *job, const struct load *load)
{
    const struct options *options = &job->host->options;
    int continues = load->reader != NULL;
    int is_asked = options_has_deterministic(options);
    job->deterministic = continues ? load->header.deterministic : options->deterministic;
    if (continues && is_asked && job->deterministic < options->deterministic)
        say_note(job, "--deterministic is ignored: the job was begun without it");
    else if (continues && is_asked && job->deterministic > options->deterministic)
        say_note(job, "--deterministic=no is ignored: the job was begun with --deterministic");
    if (!job->exact_mode) {
        if (!continues && is_asked && job->deterministic)
            say_note(job, "--deterministic is ignored: it needs --resume exact");
        job->deterministic = 0;
    }
    job->exact.collections.on = job->deterministic && collections_possible(&job->exact);
    if (job->deterministic && !job->exact.collections.on && is_asked)
        say_note(job,
                 "garbage is collected at moments that are not repeatable here, as memory comes "
                 "from malloc; see docs/limits.md");
}

/* A script for globals starts from its top with other values of ckpt.resumed, which an exact job
 * goes on in the middle of. */
static void run_hint_at_globals(struct job *job)
{
    if (job->exact_mode && !options_has_resume(&job->host->options) &&
        again_has_word(job->script.text, "ckpt.resumed"))
        say_note(
            job,
            "%s asks for ckpt.resumed, as scripts for --resume globals do: give that option, or "
            "--resume exact if it is meant so",
            job->script.path);
}

/* Takes the lock, finds the snapshot, puts its state back or starts a new life. *over is set where
 * there is nothing to run. */
static int run_prepare(struct job *job, int *over)
{
    struct load load = {0};
    int code = run_lock(job);
    if (code != CKPTLUA_OK)
        return code;
    generations_clean(job->file);
    code = load_open(job->L, job, &load);
    if (code != CKPTLUA_OK)
        return code;
    int64_t seed = load.reader == NULL ? job->new_seed : load.header.seed;
    if (seed != job->seed) {
        load_close(&load);
        memset(&job->history, 0, sizeof job->history);
        code = run_make_state_anew(job, seed);
        if (code == CKPTLUA_OK)
            code = load_open_again(job->L, job, &load);
        if (code != CKPTLUA_OK)
            return code;
    }
    if (load.reader != NULL)
        run_follow_snapshot(job, &load.header);
    if (run_has_finished(job, &load, &code)) {
        *over = 1;
        return code;
    }
    run_choose_collector(job, &load);
    code = run_open_streams(job, load.reader != NULL);
    if (code == CKPTLUA_OK && job->exact_mode && !job->exact.keeps_layout)
        say_note(
            job,
            "tables that change after a continue may get another order of keys than without it: "
            "%s; see docs/limits.md",
            job->not_laid.message);
    if (code == CKPTLUA_OK && load.reader != NULL) {
        code = load_restore(job->L, job, &load);
    } else if (code == CKPTLUA_OK) {
        if (!job->exact_mode && job->host->options.resume == OPTIONS_EXACT)
            say_note(job, "%s; using --resume globals, which keeps global variables only",
                     job->not_exact.message);
        run_hint_at_globals(job);
        code = run_name_job(job);
        if (code == CKPTLUA_OK)
            code = load_nothing(job->L, job);
    }
    load_close(&load);
    lua_settop(job->L, 1);
    return code;
}

/* ---------------------------------------------------------------- the helper thread */

static void run_draw_progress(struct job *job, double now)
{
    double running = job->computed_before + now - job->started, saved = job->last_saved_moment;
    struct progress_view view = {
        .script = job->script.name,
        .run = history_number(&job->history),
        .running = running,
        .saved = saved == 0 ? -1 : now - saved,
        .share = running > 0 ? (job->saving_before + job->saving) / running : 0,
    };
    if (job->progress.wanted && pthread_mutex_trylock(&job->host->speak) == 0) {
        if (job->progress.everywhere && now >= job->progress.held)
            progress_draw(&job->progress, &view);
        pthread_mutex_unlock(&job->host->speak);
    }
}

/* Whether a child that saves has ended; it stays to be waited for. */
static int run_child_has_ended(struct job *job)
{
    siginfo_t info = {.si_pid = 0};
    pid_t pid = atomic_load(&job->child.pid);
    if (pid <= 0)
        return 0;
    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) != 0)
        return errno == ECHILD; /* somebody else has waited for it, or SIGCHLD is ignored */
    return info.si_pid == pid;
}

/* Someone has pressed Ctrl-C, and nothing seems to happen. */
static void run_hint_at_interrupt(struct job *job, double now)
{
    int pending = (atomic_load(&job->schedule->requests) & SCHEDULE_INTERRUPT) != 0;
    if (!pending)
        job->interrupt_seen = 0;
    else if (job->interrupt_seen == 0)
        job->interrupt_seen = now;
    else if (now - job->interrupt_seen > 1.5 && !job->interrupt_told) {
        job->interrupt_told = 1;
        say_note(job, "stopping %s; Ctrl-C again stops at once, without saving",
                 job->exact_mode ? "as soon as it can be saved"
                                 : "at the next checkpoint(), to save there");
    }
}

static void run_tick(void *context)
{
    struct job *job = context;
    double now = clock_monotonic();
    if (run_child_has_ended(job))
        schedule_call(job->schedule);
    alive_tick(job, now);
    run_draw_progress(job, now);
    run_hint_at_interrupt(job, now);
    if (!job->warned_of_silence && !atomic_load(&job->reached) && !job->exact_mode &&
        now > job->silence_at) {
        char time[32];
        job->warned_of_silence = 1;
        say_duration(now - job->started, time, sizeof time);
        say_note(job,
                 "%s has not called checkpoint() in %s, so nothing is saved; call it in the main "
                 "loop",
                 job->script.path, time);
    }
}

static void run_overdue(void *context)
{
    struct job *job = context;
    int number = atomic_load(&job->schedule->signal);
    char notice[32], asked[32] = "the request to exit", why[400];
    say_duration(SCHEDULE_NOTICE, notice, sizeof notice);
    if (number != 0)
        snprintf(asked, sizeof asked, "SIG%s", options_signal_name(number));
    if (!job->exact_mode)
        snprintf(why, sizeof why, "has not called checkpoint() within %s of %s", notice, asked);
    else
        snprintf(why, sizeof why, "could not be saved within %s of %s, because of %s", notice,
                 asked, *job->held_by == '\0' ? "a function in C" : job->held_by);
    say_failure(job->host, "%s %s; nothing was saved, %s", job->script.path, why,
                job->has_snapshot ? "the previous snapshot is intact"
                                  : "and there is no snapshot yet");
    if (job->host->on_exit != NULL)
        _exit(CKPTLUA_NOT_SAVED); /* the lock file stays: the job's thread works until this */
    atomic_store(&job->schedule->overdue, 0);
}

/* On the helper thread: has the script's thread interrupted, which then sets a hook. */
static void run_due(void *context)
{
    struct job *job = context;
    pthread_kill(job->thread, SIGNALS_CALL);
}

/* In the handler of that signal. */
static void run_called(void *context)
{
    struct job *job = context;
    if (pthread_equal(pthread_self(), job->thread))
        exactly_request(job);
}

static int run_start_schedule(struct job *job)
{
    struct error error;
    struct ckptlua *host = job->host;
    job->schedule->on_tick = run_tick;
    job->schedule->on_overdue = run_overdue;
    job->schedule->context = job;
    job->thread = pthread_self();
    if (job->exact_mode && host->handle_signals)
        job->schedule->on_due = run_due;
    job->progress.wanted = !host->options.quiet &&
                           (host->options.progress == OPTIONS_SHOW_ON || isatty(STDERR_FILENO));
    job->progress.everywhere = host->options.progress == OPTIONS_SHOW_ON || !isatty(STDOUT_FILENO);
    if (job->continued)
        schedule_nudge(job->schedule);
    job->silence_at = SCHEDULE_NEVER;
    alive_begin(job);
    if (schedule_start(job->schedule, &error) != 0 ||
        (host->handle_signals && signals_install(&job->signals, job->schedule, &host->options,
                                                 run_called, job, &error) != 0)) {
        say_failure(host, "%s", error.message);
        return CKPTLUA_FAILED;
    }
    schedule_tick_every(job->schedule, point_tick(job));
    point_begin(job);
    if (host->options.exit_after > 0)
        schedule_exit_at(job->schedule, job->started + host->options.exit_after);
    return CKPTLUA_OK;
}

/* ---------------------------------------------------------------- the script */

/* Whether the script goes on where it was; else it starts from its top. */
static int run_goes_on(const struct job *job)
{
    return job->continued && job->exact_mode;
}

/* (arguments ...): runs the script, or goes on with it; what it fails with is an error here. */
static int run_main(lua_State *L)
{
    struct job *job = host_job(L);
    lua_State *main = job->exact.main;
    if (run_goes_on(job)) {
        exactly_mark_finalizers(L);
        exactly_call_resumed(L, job);
    }
    exact_own(&job->exact, ZONE_SCRIPTS);
    if (job->exact.collections.on)
        collections_begin(L, &job->exact, !job->collects);
    layers_begin(job);
    int status = exact_run(L, &job->exact, lua_gettop(L) - 1);
    exact_own(&job->exact, ZONE_HOSTS);
    if (status == LUA_OK)
        return 0;
    if (job->leaving) {
        lua_settop(main, 0);
        return 0;
    }
    luaL_checkstack(L, 1, NULL);
    lua_xmove(main, L, 1);
    return lua_error(L);
}

static int run_failed(struct job *job)
{
    size_t size;
    const char *text = lua_tolstring(job->L, -1, &size);
    save_wait(job);
    say_failure_text(job->host, text == NULL ? "an error without a message" : text);
    if (job->has_snapshot) {
        char time[32];
        say_time(job->last_saved, time, sizeof time);
        say_note(job, "the job failed; %s keeps the state of %s", job->shown, time);
    } else {
        say_note(job, "the job failed before its first save");
    }
    return CKPTLUA_FAILED;
}

/* Runs the function at index 1 of job->L. */
static int run_script(struct job *job)
{
    lua_State *L = job->L;
    lua_pushcfunction(L, run_main);
    lua_insert(L, 1);
    if (run_goes_on(job))
        lua_settop(L, 2); /* its arguments are on its stack already */
    for (int i = 0; i < job->script.argc && !run_goes_on(job); i++) {
        luaL_checkstack(L, 2, NULL);
        lua_pushstring(L, job->script.argv[i]);
    }
    library_start(job);
    if (job->exact_mode && !job->continued) /* the collector has just been everywhere */
        exact_begin(L, &job->exact, 2);
    if (job->collects && !job->exact.collections.on)
        lua_gc(L, LUA_GCRESTART);
    int status = lua_pcall(L, lua_gettop(L) - 1, 0, 0);
    job->is_over = 1;
    collections_end(&job->exact);
    lua_gc(L, LUA_GCSTOP); /* finalizers that are left run when the state is closed */
    if (job->leaving && job->code != CKPTLUA_OK)
        return job->code;
    if (!job->leaving && status != LUA_OK) {
        int code = run_failed(job);
        save_abandon(job);
        return code;
    }
    lua_sethook(L, NULL, 0, 0); /* os.exit(0) has unwound it */
    return finish_job(L, job, 1);
}

/* --resume */
static int run_choose_way(struct job *job)
{
    struct error error;
    const struct options *options = &job->host->options;
    exactly_check(job);
    if (options->resume != OPTIONS_EXACT || exactly_switch_on(job, &error) == 0 ||
        !options_has_resume(options))
        return CKPTLUA_OK;
    say_failure(job->host, "%s; use --resume globals", error.message);
    return CKPTLUA_USAGE;
}

static int run_all(struct job *job)
{
    int over = 0;
    int code = run_choose_seed(job);
    if (code == CKPTLUA_OK)
        code = run_choose_way(job);
    if (code == CKPTLUA_OK) {
        job->collects = 1;
        code = state_make(job);
    }
    if (code == CKPTLUA_OK)
        code = run_prepare(job, &over);
    if (code != CKPTLUA_OK || over)
        return code;
    job->started = clock_monotonic();
    job->is_running = 1;
    job->exact.keeps_texts = exactly_texts(job);
    module_set_counts(job->L, job);
    if (job->continued && !job->exact_mode)
        module_watch_loading(job->L, 1);
    code = run_start_schedule(job);
    if (code == CKPTLUA_OK)
        code = run_script(job);
    return code;
}

static void run_close(struct job *job)
{
    struct ckptlua *host = job->host;
    schedule_stop(job->schedule);
    pthread_mutex_lock(&host->speak);
    progress_clear(&job->progress);
    host->progress = NULL;
    pthread_mutex_unlock(&host->speak);
    save_abandon(job);
    if (job->L != NULL)
        lua_close(job->L);
    heap_close(&job->heap);
    exact_close(&job->exact);
    stdio_close(job->stdio);
    leave_release_lock(job);
    journal_close(job);
    script_free(&job->script);
    free(job->file);
    free(job->shown);
    /* Last: the job has ended, and a signal is not to make an eviction of that. */
    signals_remove(&job->signals);
}

int run_job(struct ckptlua *host, const char *path, int argc, char *const argv[])
{
    struct error error;
    struct job *job = calloc(1, sizeof *job);
    if (job == NULL) {
        say_failure(host, "not enough memory");
        return CKPTLUA_FAILED;
    }
    job->host = host;
    job->schedule = &host->schedule;
    journal_open(job);
    int code = CKPTLUA_USAGE;
    host->progress = &job->progress;
    if (script_read(&job->script, path, argc, argv, &error) != 0)
        say_failure(host, "%s", error.message);
    else if ((code = run_name_snapshot(job)) == CKPTLUA_OK)
        code = run_all(job);
    run_close(job);
    free(job);
    return code;
}
