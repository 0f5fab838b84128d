#include "job/save.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "exact/address.h"
#include "exact/capture.h"
#include "exact/images.h"
#include "exact/nodes.h"
#include "exact/order.h"
#include "job/exactly.h"
#include "job/header.h"
#include "job/journal.h"
#include "job/module.h"
#include "job/policy.h"
#include "job/say.h"
#include "store/format.h"
#include "store/generations.h"
#include "store/snapshot.h"
#include "value/encode.h"
#include "value/plain.h"
#include "value/registry.h"

/* One save on its way. Nothing in it is owned across a call that may raise but by save_write. */
struct save {
    struct job *job;
    struct snapshot_writer *writer;
    struct error error; /* of the writer */
    enum encode_garbage garbage;
};

/* What a child tells its parent. */
struct saving_result {
    enum save_outcome outcome;
    double cost;
    uint64_t size;
    char message[1024];
    size_t texts;        /* that there were (code.h) */
    unsigned char met[]; /* of these, by the child */
};

static size_t save_result_size(size_t texts)
{
    return sizeof(struct saving_result) + texts;
}

static const char save_hooks; /* registry: list of functions */

/* ---------------------------------------------------------------- on_save */

void save_add_hook(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &save_hooks) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &save_hooks);
    }
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

void save_push_hooks(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &save_hooks) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
}

void save_set_hooks(lua_State *L)
{
    lua_rawsetp(L, LUA_REGISTRYINDEX, &save_hooks);
}

/* ckpt.on_save functions, in the order in which they were given. */
static int save_call_hooks(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &save_hooks) != LUA_TTABLE)
        return 0;
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        lua_call(L, 0, 0);
    }
    return 0;
}

/* ---------------------------------------------------------------- writing */

static int save_sink(void *context, const void *data, size_t size)
{
    struct save *save = context;
    return snapshot_write(save->writer, data, size, &save->error);
}

static void save_push_line(void *context, lua_State *L, const char *source, int line)
{
    const struct job *job = context; /* NULL for ckptlua_save without a job */
    if (job != NULL)
        script_push_line(&job->script, L, source, line);
    else
        lua_pushnil(L);
}

/* The header map: 16 bytes that are always the same shape, then the pairs. */
static void save_header(lua_State *L, int index, struct pack *pack)
{
    unsigned char head[FORMAT_HEAD_SIZE];
    format_put_head(head, (uint16_t)(plain_encode_pairs(L, index, NULL) + 1));
    msgpack_pack_str_body(&pack->packer, head, sizeof head);
    plain_encode_pairs(L, index, pack);
}

/* (struct save *, header, state): writes all of a job's snapshot. */
static int save_encode_job(lua_State *L)
{
    struct save *save = lua_touserdata(L, 1);
    struct sink sink = {save_sink, save};
    struct encode_options options = {.walker = &walker_public,
                                     .push_line = save_push_line,
                                     .context = save->job,
                                     .nameless = save->job->untold};
    struct pack *pack = pack_new(L, &sink);
    save_header(L, 2, pack);
    plain_encode(L, 3, pack);
    struct exact *exact = &save->job->exact;
    struct code_writer code;
    struct walker walker = {order_walk, exact, images_is_same, images_remember, order_is_other};
    capture_begin(exact);
    if (save->job->exact_mode)
        address_open_marks(L, exact);
    exact_writer(exact, &code);
    options.garbage = &save->garbage;
    if (exact->is_checked)
        options.code = &code;
    if (save->job->exact_mode) {
        options.walker = &walker;
        if (exact->keeps_layout)
            options.layout = &nodes_writer;
        exactly_push_roots(L, save->job);
        encode_exact(L, lua_gettop(L), pack, &options);
        code_meet_unfreed(L, &exact->code);
    } else {
        encode_globals(L, pack, &options);
    }
    return 0;
}

/* (struct save *, header, variables): writes what ckpt.save is given. */
static int save_encode_variables(lua_State *L)
{
    struct save *save = lua_touserdata(L, 1);
    struct sink sink = {save_sink, save};
    struct encode_options options = {
        .walker = &walker_public, .push_line = save_push_line, .context = save->job};
    if (save->job != NULL && save->job->exact.keeps_layout)
        options.inside = &nodes_writer;
    struct pack *pack = pack_new(L, &sink);
    save_header(L, 2, pack);
    msgpack_pack_map(&pack->packer, 0);
    encode_table(L, 3, pack, &options);
    return 0;
}

/* As if the collector had not been stopped: Lua itself would begin to collect at once, at each
 * save. */
static void save_restart_collector(lua_State *L, const struct job *job)
{
    int is_known = job != NULL && job->exact.is_checked;
    ptrdiff_t debt = is_known ? vm_debt(L) : 0;
    lua_gc(L, LUA_GCRESTART);
    if (is_known)
        vm_set_debt(L, debt);
}

/* One attempt of save_write. Leaves the two values on top where they are. */
static struct snapshot_writer *save_attempt(lua_State *L, struct save *save, const char *file,
                                            lua_CFunction encode, struct save_result *result)
{
    struct job *job = save->job;
    result->outcome = SAVE_FAILED;
    if (!lua_checkstack(L, 8)) {
        snprintf(result->message, sizeof result->message, "not enough memory");
        return NULL;
    }
    save->writer = snapshot_begin(file, &save->error);
    if (save->writer == NULL) {
        snprintf(result->message, sizeof result->message, "%s", save->error.message);
        return NULL;
    }
    /* No finalizer may run in the middle, and no address may be used again. */
    int collects = lua_gc(L, LUA_GCISRUNNING);
    if (job != NULL && !job->exact.collections.on)
        job->collects = collects;
    lua_gc(L, LUA_GCSTOP);
    lua_pushcfunction(L, encode);
    lua_pushlightuserdata(L, save);
    lua_pushvalue(L, -4);
    lua_pushvalue(L, -4);
    int status = lua_pcall(L, 3, 0, 0);
    if (job != NULL && encode == save_encode_job)
        capture_end(&job->exact);
    if (collects)
        save_restart_collector(L, job);
    result->size = snapshot_written(save->writer);
    if (status == LUA_OK && save->error.code == 0) {
        result->outcome = SAVE_DONE;
        return save->writer;
    }
    snapshot_abort(save->writer);
    if (save->error.code != 0) {
        snprintf(result->message, sizeof result->message, "%s", save->error.message);
    } else {
        const char *text = lua_tostring(L, -1);
        snprintf(result->message, sizeof result->message, "%s",
                 text == NULL ? "an error without a message" : text);
        result->outcome = status == LUA_ERRMEM ? SAVE_FAILED : SAVE_REFUSED;
    }
    if (status != LUA_OK)
        lua_pop(L, 1);
    return NULL;
}

/* Runs `encode` with save, and the two values on top, into a new FILE. Pops them. Returns what is
 * to be committed, or NULL. Fills *result but for its cost; where it is done and has a message, it
 * is that of a value that was left out, which only a finalizer would have seen again. */
static struct snapshot_writer *save_write(lua_State *L, struct job *job, const char *file,
                                          lua_CFunction encode, struct save_result *result)
{
    struct save save = {.job = job, .garbage = ENCODE_GARBAGE};
    struct snapshot_writer *writer = save_attempt(L, &save, file, encode, result);
    if (result->outcome == SAVE_REFUSED && save.garbage == ENCODE_GARBAGE_REFUSED) {
        save.garbage = ENCODE_NO_GARBAGE;
        writer = save_attempt(L, &save, file, encode, result);
    } else if (writer != NULL) {
        *result->message = '\0';
    }
    lua_pop(L, 2);
    return writer;
}

/* The same, and commits it. */
static void save_write_all(lua_State *L, struct job *job, const char *file, int generations,
                           lua_CFunction encode, struct save_result *result)
{
    struct error error;
    struct snapshot_writer *writer = save_write(L, job, file, encode, result);
    if (writer == NULL || snapshot_commit(writer, generations, &error) == 0)
        return;
    result->outcome = SAVE_FAILED;
    snprintf(result->message, sizeof result->message, "%s", error.message);
}

/* ---------------------------------------------------------------- preparing */

struct save_plan {
    struct job *job;
    const struct save_request *request;
    struct error error;
};

/* (struct save_plan *) -> header, state: everything that must be done before the first byte. */
static int save_prepare(lua_State *L)
{
    struct save_plan *plan = lua_touserdata(L, 1);
    struct job *job = plan->job;
    struct stdio_state streams[2];
    journal_sync(job);
    files_flush(L);
    if (stdio_save(job->stdio, streams, &plan->error) != 0)
        return luaL_error(L, "%s", plan->error.message);
    header_push(L, job, plan->request->reason, plan->request->finished);
    header_push_state(L, job, streams);
    return 2;
}

/* Calls function(plan), leaving `results` values. Returns 1, or 0 with result->message filled. */
static int save_protect(lua_State *L, lua_CFunction function, struct save_plan *plan, int results,
                        struct save_result *result)
{
    if (lua_checkstack(L, 8)) {
        lua_pushcfunction(L, function);
        lua_pushlightuserdata(L, plan);
        if (lua_pcall(L, 1, results, 0) == LUA_OK)
            return 1;
        const char *text = luaL_tolstring(L, -1, NULL);
        snprintf(result->message, sizeof result->message, "%s", text);
        lua_pop(L, 2);
    }
    return 0;
}

/* ---------------------------------------------------------------- a child */

static void save_in_child(lua_State *L, struct job *job, struct saving_result *shared, pid_t parent,
                          double started)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    signals_ignore_all();
    lock_leave_to_parent(job->lock);
    struct save_result result = {.size = 0};
    save_write_all(L, job, job->file, job->host->options.generations, save_encode_job, &result);
    code_tell_met(&job->exact.code, shared->met, shared->texts);
    shared->cost = clock_monotonic() - started;
    shared->size = result.size;
    snprintf(shared->message, sizeof shared->message, "%s", result.message);
    shared->outcome = result.outcome;
    _exit(0);
}

/* Forks; the header and state are on top, and are popped. Returns 0 where that is not possible:
 * then they are still there. */
static int save_fork(lua_State *L, struct job *job, double started)
{
    size_t texts = job->exact.code.count;
    struct saving_result *shared = mmap(NULL, save_result_size(texts), PROT_READ | PROT_WRITE,
                                        MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 0;
    shared->texts = texts;
    shared->outcome = SAVE_STARTED;
    pid_t parent = getpid(), pid = fork();
    if (pid == 0)
        save_in_child(L, job, shared, parent, started);
    if (pid < 0) {
        munmap(shared, save_result_size(texts));
        return 0;
    }
    job->child.started = started;
    job->child.result = shared;
    atomic_store(&job->child.pid, pid);
    lua_pop(L, 2);
    return 1;
}

/* A snapshot of that moment is there. */
static void save_count(struct job *job, double wall)
{
    job->saves++;
    job->generation++;
    job->last_saved = wall;
    job->has_snapshot = 1;
}

void save_wait(struct job *job)
{
    if (job->child.pid == 0)
        return;
    while (waitpid(job->child.pid, NULL, 0) < 0 && errno == EINTR)
        continue;
    if (job->child.result->outcome == SAVE_DONE)
        save_count(job, clock_wall());
    munmap(job->child.result, save_result_size(job->child.result->texts));
    atomic_store(&job->child.pid, 0);
    generations_clean(job->file);
}

void save_abandon(struct job *job)
{
    snapshot_abort(job->last);
    job->last = NULL;
    if (job->child.pid != 0)
        kill(job->child.pid, SIGKILL);
    save_wait(job); /* it may have been done before */
}

/* ---------------------------------------------------------------- the whole */

/* A new life's first snapshot is there: older generations are of a life that the user has ended by
 * removing its snapshot. The newest of them is kept aside once more. */
static void save_end_old_life(struct job *job)
{
    struct error error;
    (void)generations_keep_old(job->file, 1, 0, &error); /* there may be none */
    generations_forget_older(job->file);
    job->old_life = 0;
}

static int save_tell_files(lua_State *L)
{
    files_saved(L);
    return 0;
}

/* Garbage that cannot be saved has been left out: told once for each cause. */
static void save_tell_garbage(struct job *job, const struct save_result *result)
{
    if (*result->message == '\0' ||
        strncmp(job->last_refusal, result->message, sizeof job->last_refusal - 1) == 0)
        return;
    snprintf(job->last_refusal, sizeof job->last_refusal, "%.255s", result->message);
    say_note(job,
             "%s is saved without an object that nothing refers to any more: its finalizer (__gc) "
             "will not run in a job that continues from there (%s)",
             job->script.path, result->message);
}

/* The job's books after a save of which *result tells. */
static void save_succeeded(lua_State *L, struct job *job, double wall,
                           const struct save_result *result)
{
    if (job->old_life)
        save_end_old_life(job);
    save_count(job, wall);
    job->last_saved_moment = clock_monotonic();
    job->last_cost = result->cost;
    job->last_size = result->size;
    job->first_refused = 0;
    module_set_counts(L, job);
    journal_forget_places(job);
    save_tell_garbage(job, result);
    lua_pushcfunction(L, save_tell_files);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK)
        lua_pop(L, 1);
}

static void save_inline(lua_State *L, struct job *job, int finished, double started,
                        struct save_result *result)
{
    double wall = clock_wall();
    job->in_hook = 1; /* the save functions of classes must not save either */
    if (finished >= 0)
        job->last = save_write(L, job, job->file, save_encode_job, result);
    else
        save_write_all(L, job, job->file, job->host->options.generations, save_encode_job, result);
    job->in_hook = 0;
    result->cost = clock_monotonic() - started;
    if (result->outcome == SAVE_DONE && job->exact_mode)
        code_drop(L, &job->exact.code);
    if (result->outcome == SAVE_DONE && finished < 0)
        save_succeeded(L, job, wall, result);
}

int save_commit_last(struct job *job, struct error *error)
{
    struct snapshot_writer *last = job->last;
    job->last = NULL;
    if (last == NULL)
        return 0;
    int status = snapshot_commit(last, job->host->options.generations, error);
    if (status == 0 && job->old_life)
        save_end_old_life(job);
    return status;
}

int save_collect(lua_State *L, struct job *job, int wait, struct save_result *result)
{
    int status;
    pid_t got;
    if (job->child.pid == 0)
        return 0;
    do
        got = waitpid(job->child.pid, &status, wait ? 0 : WNOHANG);
    while (got < 0 && errno == EINTR);
    if (got == 0)
        return 0;
    struct saving_result *shared = job->child.result;
    *result = (struct save_result){shared->outcome, "", shared->cost, shared->size};
    snprintf(result->message, sizeof result->message, "%s", shared->message);
    if (result->outcome == SAVE_DONE && job->exact_mode)
        code_drop_told(L, &job->exact.code, shared->met, shared->texts);
    munmap(shared, save_result_size(shared->texts));
    double started = job->child.started;
    atomic_store(&job->child.pid, 0);
    if (result->outcome == SAVE_STARTED) { /* it told nothing */
        result->outcome = SAVE_FAILED;
        if (got > 0 && WIFSIGNALED(status))
            snprintf(result->message, sizeof result->message,
                     "the saving process was killed (SIG%s)",
                     options_signal_name(WTERMSIG(status)));
        else
            snprintf(result->message, sizeof result->message, "the saving process failed");
    }
    if (result->outcome == SAVE_DONE)
        save_succeeded(L, job, clock_wall() - (clock_monotonic() - started), result);
    return 1;
}

void save_run(lua_State *L, struct job *job, const struct save_request *request,
              struct save_result *result)
{
    struct save_plan plan = {.job = job, .request = request};
    double started = clock_monotonic();
    int own = exact_own(&job->exact, ZONE_HOSTS);
    address_look(L, &job->exact);
    save_collect(L, job, 1, result); /* one child at a time; the newer state counts */
    *result = (struct save_result){.outcome = SAVE_REFUSED};
    atomic_store(&job->schedule->busy, 1);
    job->in_hook = 1;
    int fine = save_protect(L, save_call_hooks, &plan, 0, result);
    job->in_hook = 0;
    history_end(&job->history, request->ended == NULL ? "" : request->ended);
    if (fine) {
        result->outcome = SAVE_FAILED;
        fine = save_protect(L, save_prepare, &plan, 2, result);
    }
    if (fine) {
        job->has_written = 1;
        if (!request->complete && policy_forks(L, job) && save_fork(L, job, started))
            result->outcome = SAVE_STARTED;
        else
            save_inline(L, job, request->finished, started, result);
    }
    if (result->outcome != SAVE_DONE)
        history_end(&job->history, "");
    exact_own(&job->exact, own);
    job->saving = job->saving + (clock_monotonic() - started); /* nobody else writes it */
    atomic_store(&job->schedule->busy, 0);
}

void save_variables(lua_State *L, struct job *job, const char *file, int index)
{
    struct save_result result = {.outcome = SAVE_FAILED};
    index = lua_absindex(L, index);
    header_push_plain(L);
    lua_pushvalue(L, index);
    struct host_apart before = host_begin_apart(job);
    int own = job == NULL ? 0 : exact_own(&job->exact, ZONE_HOSTS);
    save_write_all(L, job, file, 0, save_encode_variables, &result);
    if (job != NULL)
        exact_own(&job->exact, own);
    host_end_apart(job, before);
    if (result.outcome != SAVE_DONE)
        luaL_error(L, "ckpt.save: %s%s", result.outcome == SAVE_REFUSED ? "cannot save " : "",
                   result.message);
}
