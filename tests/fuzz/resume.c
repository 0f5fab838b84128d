#include "resume.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include <lauxlib.h>
#include <lualib.h>

#include "ckptlua.h"
#include "exact/address.h"
#include "exact/capture.h"
#include "exact/edited.h"
#include "exact/images.h"
#include "exact/nodes.h"
#include "exact/order.h"
#include "job/convert.h"
#include "job/exactly.h"
#include "job/files.h"
#include "job/header.h"
#include "job/history.h"
#include "job/host.h"
#include "job/leave.h"
#include "job/module.h"
#include "job/random.h"
#include "value/decode.h"
#include "value/encode.h"
#include "value/late.h"
#include "value/names.h"
#include "value/plain.h"
#include "value/registry.h"

/* Instructions between two calls of the hook, and in all. */
enum { RESUME_STEP = 20, RESUME_INSTRUCTIONS = 1000 };

/* Bytes for each byte of the snapshot, and besides: a stack of the largest size may be all nil. */
#define RESUME_FACTOR 512
#define RESUME_MORE ((size_t)48 << 20)

/* Bytes that the script may have when it runs. */
#define RESUME_SCRIPT ((size_t)64 << 20)

/* Seconds after which what is running is stopped, where no hook is called: in a finalizer, or in a
 * function of the string library. */
enum { RESUME_SECONDS = 1, RESUME_PATIENCE = 3 };

struct resume {
    enum resume_way way;
    ckptlua *host;
    struct job *job;
    const uint8_t *data;
    size_t size, at;
    size_t used, limit; /* memory; limit 0: none */
    int failures;       /* of allocations */
    int ran;            /* a function of the script has been called */
    long left;          /* instructions */
    volatile int running, ticks;
    int captured;
    sigjmp_buf out;
};

static struct resume *resuming;

/* ---------------------------------------------------------------- memory and time */

static void *resume_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    struct resume *resume = context;
    size_t old = block == NULL ? 0 : old_size;
    if (resume->limit != 0 && new_size > old && resume->used + new_size - old > resume->limit) {
        resume->failures++;
        return NULL;
    }
    void *moved = zone_alloc(&resume->job->heap.zone, block, old_size, new_size);
    if (moved != NULL || new_size == 0)
        resume->used += new_size - old;
    return moved;
}

static void resume_stop(lua_State *L, lua_Debug *debug)
{
    (void)debug;
    luaL_error(L, "this takes too long");
}

/* A finalizer runs without hooks. */
static void resume_stop_thread(lua_State *L)
{
    vm_thread(L)->allows_hooks = 1;
    lua_sethook(L, resume_stop, LUA_MASKCOUNT, 1);
}

static void resume_tick(int number)
{
    struct resume *resume = resuming;
    (void)number;
    if (resume == NULL || !resume->running)
        return;
    if (++resume->ticks >= RESUME_PATIENCE)
        siglongjmp(resume->out, 1); /* the state stays as it is, and is never freed */
    resume_stop_thread(resume->job->L);
    resume_stop_thread(resume->job->exact.current);
    for (const struct exact_resumer *resumer = resume->job->exact.resumers; resumer != NULL;
         resumer = resumer->previous)
        resume_stop_thread(resumer->thread);
}

static void resume_watch(struct resume *resume, int on)
{
    const struct itimerval interval = {{on * RESUME_SECONDS, 0}, {on * RESUME_SECONDS, 0}};
    resuming = resume;
    resume->ticks = 0;
    resume->running = on;
    signal(SIGVTALRM, resume_tick);
    setitimer(ITIMER_VIRTUAL, &interval, NULL);
}

/* ---------------------------------------------------------------- a harmless environment */

static int resume_nothing(lua_State *L)
{
    lua_settop(L, 1);
    return 1;
}

/* load, of texts only */
static int resume_load(lua_State *L)
{
    lua_settop(L, lua_isnone(L, 4) ? 3 : 4);
    lua_pushliteral(L, "t");
    lua_replace(L, 3);
    lua_pushvalue(L, lua_upvalueindex(1));
    lua_insert(L, 1);
    lua_call(L, lua_gettop(L) - 1, LUA_MULTRET);
    return lua_gettop(L);
}

/* The functions in the table on top that are not among the names do nothing from now on, each being
 * another one. Pops it. */
static void resume_disarm(lua_State *L, const char *names)
{
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_settop(L, table + 1)) {
        if (!lua_isfunction(L, -1) || lua_type(L, -2) != LUA_TSTRING)
            continue;
        lua_pushfstring(L, " %s ", lua_tostring(L, table + 1));
        if (strstr(names, lua_tostring(L, -1)) != NULL)
            continue;
        lua_pushvalue(L, table + 1);
        lua_pushboolean(L, 1);
        lua_pushcclosure(L, resume_nothing, 1);
        lua_rawset(L, table);
    }
    lua_pop(L, 1);
}

static void resume_disarm_one(lua_State *L, const char *name)
{
    lua_pushboolean(L, 1);
    lua_pushcclosure(L, resume_nothing, 1);
    lua_setglobal(L, name);
}

static void resume_disarm_all(lua_State *L)
{
    static const char *const tables[][2] = {
        {LUA_OSLIBNAME, " clock date difftime time "},
        {LUA_IOLIBNAME, " type "},
        {LUA_DBLIBNAME, " getinfo getlocal getmetatable getupvalue traceback upvalueid "},
        {LUA_LOADLIBNAME, " searchpath "},
        {"ckpt", " "},
    };
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (lua_getglobal(L, tables[i][0]) == LUA_TTABLE)
            resume_disarm(L, tables[i][1]);
        else
            lua_pop(L, 1);
    luaL_getmetatable(L, LUA_FILEHANDLE);
    if (lua_getfield(L, -1, "__index") == LUA_TTABLE)
        resume_disarm(L, " ");
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
    resume_disarm_one(L, "print");
    resume_disarm_one(L, "dofile");
    resume_disarm_one(L, "loadfile");
    resume_disarm_one(L, "require");
    lua_getglobal(L, LUA_STRLIBNAME);
    lua_pushcfunction(L, resume_nothing);
    lua_setfield(L, -2, "dump");
    lua_pop(L, 1);
    lua_getglobal(L, "load");
    lua_pushcclosure(L, resume_load, 1);
    lua_setglobal(L, "load");
}

/* package.loaded.native, as if a library had it; no other one can be loaded. */
static void resume_add_native(lua_State *L, const struct job *job)
{
    static const luaL_Reg functions[] = {{"one", resume_nothing}, {"two", resume_nothing}, {0}};
    lua_rawgeti(L, LUA_REGISTRYINDEX, job->exact.natives);
    lua_pushnil(L);
    lua_rawseti(L, -2, 1); /* the searchers */
    luaL_newlib(L, functions);
    lua_setfield(L, -2, "native");
    lua_pop(L, 1);
}

static void resume_note(void *context, const char *text)
{
    (void)context;
    (void)text;
}

static void resume_keep(void *context, const char *text, const char *told)
{
    (void)context;
    (void)text;
    (void)told;
}

/* (struct resume *): as state.c does it for a job, but for what has to do with files. */
static int resume_open(lua_State *L)
{
    static const struct userdata_type file_type = {
        .name = LUA_FILEHANDLE, .save = files_save_handle, .load = files_load_handle};
    struct resume *resume = lua_touserdata(L, 1);
    struct job *job = resume->job;
    luaL_openlibs(L);
    host_set_job(L, job);
    *(struct job **)lua_getextraspace(L) = job;
    exactly_open(L, job);
    job->files = (struct files_host){
        .warn = resume_note, .journal = resume_keep, .failed = resume_note, .context = job};
    files_open(L, &job->files);
    random_open(L);
    module_open(L, job);
    registry_open(L);
    registry_add_type(L, &file_type);
    late_open(L);
    lua_newtable(L);
    lua_setglobal(L, "arg");
    resume_disarm_all(L);
    resume_add_native(L, job);
    names_capture(L);
    exact_name(L, &job->exact);
    return 0;
}

/* ---------------------------------------------------------------- saving what was resumed */

static int resume_sink(void *context, const void *data, size_t size)
{
    (void)context;
    (void)data;
    (void)size;
    return 0;
}

static void resume_push_line(void *context, lua_State *L, const char *source, int line)
{
    (void)context;
    (void)source;
    (void)line;
    lua_pushnil(L);
}

/* (struct job *), on the scratch thread */
static int resume_capture(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    struct sink sink = {resume_sink, NULL};
    struct walker walker = {order_walk, &job->exact, images_is_same, images_remember,
                            order_is_other};
    struct code_writer code;
    struct encode_options options = {.walker = &walker,
                                     .push_line = resume_push_line,
                                     .context = job,
                                     .code = &code,
                                     .layout = &nodes_writer};
    struct pack *pack = pack_new(L, &sink);
    capture_begin(&job->exact);
    address_open_marks(L, &job->exact);
    exact_writer(&job->exact, &code);
    exactly_push_roots(L, job);
    encode_exact(L, lua_gettop(L), pack, &options);
    return 0;
}

static void resume_save(struct resume *resume)
{
    struct job *job = resume->job;
    lua_State *L = job->exact.scratch;
    int top = lua_gettop(L);
    if (!capture_obstacle(L, &job->exact)) {
        lua_gc(L, LUA_GCSTOP);
        lua_pushcfunction(L, resume_capture);
        lua_pushlightuserdata(L, job);
        lua_pcall(L, 1, 0, 0);
        capture_end(&job->exact);
        lua_gc(L, LUA_GCRESTART);
    }
    lua_settop(L, top);
}

/* ---------------------------------------------------------------- running */

static void resume_hook(lua_State *L, lua_Debug *debug)
{
    struct resume *resume = resuming;
    struct job *job = resume->job;
    (void)debug;
    resume->ran = 1;
    if (L == job->exact.current && resume->left % 500 == 0)
        resume_save(resume);
    resume->left -= RESUME_STEP;
    if (resume->left > 0)
        return;
    job->leaving = job->exact.leaving = 1;
    leave_again(L, job);
}

/* Any call before the script goes on: its memory is no longer the snapshot's. */
static void resume_called(lua_State *L, lua_Debug *debug)
{
    resuming->ran = 1;
    resuming->limit = 0;
    if (debug->event == LUA_HOOKCOUNT && (resuming->left -= RESUME_STEP) <= 0)
        luaL_error(L, "this takes too long");
}

static int64_t resume_read(void *context, void *data, size_t size)
{
    struct resume *resume = context;
    size_t left = resume->size - resume->at;
    if (size > left)
        size = left;
    memcpy(data, resume->data + resume->at, size);
    resume->at += size;
    return (int64_t)size;
}

/* The table on top has what a header and the state of a job have. Pushes the text of the script. */
static void resume_take_state(lua_State *L, struct job *job)
{
    struct header header;
    struct history history = {0};
    struct stdio_state streams[2];
    if (lua_type(L, -1) != LUA_TTABLE)
        luaL_error(L, "no state");
    header_read(L, -1, &job->script, &header, &history);
    header_read_streams(L, -1, streams);
    if (lua_getfield(L, -1, "random") != LUA_TNIL) /* most inputs have the script only */
        random_set(L, -1);
    lua_pop(L, 1);
    if (lua_getfield(L, -1, "script") != LUA_TSTRING)
        luaL_error(L, "no script");
}

/* The script with the text on top, which is kept. */
static void resume_take_script(lua_State *L, struct job *job)
{
    job->script.path = job->script.name = (char *)(uintptr_t) "job.lua";
    job->script.text = (char *)(uintptr_t)lua_tolstring(L, -1, &job->script.size);
    if (luaL_loadbufferx(L, job->script.text, job->script.size, "@job.lua", "t") != LUA_OK)
        lua_error(L);
    exactly_add_script(L, job);
}

/* Objects are to have their places, whatever process the snapshot says it is from. */
static void resume_take_places(lua_State *L, struct exact *exact)
{
    lua_Integer base, code;
    exact_forget_main(L, exact);
    lua_gc(L, LUA_GCCOLLECT);
    exact_begin(L, exact, 0);
    if (address_numbers(L, exact, &base, &code))
        address_restore(L, exact, base, code);
    exact_own(exact, ZONE_HOSTS);
}

/* (struct resume *): what load.c does with a snapshot. */
static int resume_restore(lua_State *L)
{
    struct resume *resume = lua_touserdata(L, 1);
    struct job *job = resume->job;
    struct source source = {resume_read, resume, resume->size};
    struct unpack *unpack = unpack_new(L, &source);
    struct code_reader code;
    plain_decode(L, unpack);
    resume_take_state(L, job);
    resume_take_script(L, job);
    resume_take_places(L, &job->exact);
    exact_reader(&job->exact, &code);
    lua_newtable(L);
    int roots = lua_gettop(L);
    decode_exact(L, unpack, roots, &code, 0);
    exact_own(&job->exact, ZONE_SCRIPTS);
    lua_sethook(L, resume_called, LUA_MASKCOUNT, RESUME_STEP);
    resume_watch(resume, 1);
    exactly_take_roots(L, job, roots);
    lua_sethook(L, NULL, 0, 0);
    return 0;
}

/* (struct resume *): the same for globals. Leaves the script on top. */
static int resume_convert(lua_State *L)
{
    struct resume *resume = lua_touserdata(L, 1);
    struct job *job = resume->job;
    struct source source = {resume_read, resume, resume->size};
    struct unpack *unpack = unpack_new(L, &source);
    struct edited edited = {.exact = &job->exact, .path = "job.lua"};
    struct code_reader code;
    plain_decode(L, unpack);
    resume_take_state(L, job);
    edited.before = lua_tolstring(L, -1, &edited.before_size);
    lua_pushliteral(L, "edited = true\n");
    lua_pushvalue(L, -2);
    lua_concat(L, 2);
    resume_take_script(L, job);
    int script = lua_gettop(L);
    edited.now = job->script.text;
    edited.now_size = job->script.size;
    unpack = convert_to_globals(L, job, unpack, edited.before, edited.before_size);
    edited_reader(L, &edited, &code);
    lua_pushglobaltable(L);
    decode_globals(L, unpack, -1, &code);
    lua_pushvalue(L, script);
    return 1;
}

/* (script): runs it. */
static int resume_begin(lua_State *L)
{
    lua_sethook(L, resume_called, LUA_MASKCOUNT, RESUME_STEP);
    lua_call(L, 0, 0);
    return 0;
}

static int resume_sweep(lua_State *L)
{
    late_sweep(L);
    return 0;
}

/* (struct resume *): what run.c does then. */
static int resume_go_on(lua_State *L)
{
    struct resume *resume = lua_touserdata(L, 1);
    struct job *job = resume->job;
    job->exact.hook = resume_hook;
    job->exact.armed = RESUME_STEP;
    job->exact.keeps_texts = EXACT_ALL_TEXTS;
    exactly_mark_finalizers(L);
    exact_run(L, &job->exact, 0);
    return 0;
}

static int resume_call(lua_State *L, struct resume *resume, lua_CFunction function)
{
    lua_settop(L, 0);
    lua_pushcfunction(L, function);
    lua_pushlightuserdata(L, resume);
    return lua_pcall(L, 1, LUA_MULTRET, 0);
}

/* What resume_convert has left is on the stack. */
static void resume_run_script(lua_State *L, struct resume *resume)
{
    resume->job->exact.keeps_texts = EXACT_TEXTS_OF_MODULES;
    lua_pushcfunction(L, resume_begin);
    lua_insert(L, 1);
    lua_pcall(L, 1, 0, 0);
    lua_sethook(L, NULL, 0, 0);
    resume_call(L, resume, resume_sweep);
}

static enum resume_outcome resume_all(lua_State *L, struct resume *resume, char **message)
{
    if (resume_call(L, resume, resume_open) != LUA_OK) {
        fprintf(stderr, "%s\n", lua_tostring(L, -1));
        abort();
    }
    resume->limit = resume->used + RESUME_FACTOR * resume->size + RESUME_MORE;
    int exact = resume->way == RESUME_EXACT;
    int status = resume_call(L, resume, exact ? resume_restore : resume_convert);
    if (resume->failures > 0 && !resume->ran) {
        fprintf(stderr, "too much memory for %zu bytes\n", resume->size);
        abort();
    }
    if (status != LUA_OK) {
        const char *text = lua_tostring(L, -1);
        if (message != NULL)
            *message = strdup(text == NULL ? "?" : text);
        return RESUME_REFUSED;
    }
    resume->limit = resume->used + RESUME_SCRIPT;
    resume_watch(resume, 1);
    lua_gc(L, LUA_GCRESTART);
    lua_gc(L, LUA_GCINC, 150, 100, 12);
    if (exact)
        resume_call(L, resume, resume_go_on);
    else
        resume_run_script(L, resume);
    lua_gc(L, LUA_GCCOLLECT);
    return RESUME_RAN;
}

enum resume_outcome resume_bytes(enum resume_way way, const uint8_t *data, size_t size,
                                 char **message)
{
    struct resume resume = {.way = way, .data = data, .size = size, .left = RESUME_INSTRUCTIONS};
    volatile enum resume_outcome outcome = RESUME_RAN;
    struct error error;
    static struct vm vm;
    if (vm.pcall_goes_on == NULL && vm_check(&vm, &error) != 0) {
        fprintf(stderr, "%s\n", error.message);
        abort();
    }
    struct job *job = resume.job = calloc(1, sizeof *job);
    resume.host = ckptlua_new();
    job->host = resume.host;
    job->schedule = &job->host->schedule;
    job->exact.vm = vm;
    job->exact.is_checked = 1;
    job->exact.keeps_layout = 1;
    job->exact_mode = way == RESUME_EXACT;
    job->is_over = 1; /* checkpoint() does nothing */
    lua_State *L = job->L = heap_new_state(&job->heap, exactly_hash_seed(1));
    lua_setallocf(L, resume_alloc, &resume);
    if (job->heap.zone.where != ZONE_NOWHERE)
        job->exact.addresses.zone = &job->heap.zone;
    job->exact.zone = &job->heap.zone;
    lua_gc(L, LUA_GCSTOP);
    if (sigsetjmp(resume.out, 1) != 0) {
        resume_watch(&resume, 0);
        resuming = NULL;
        return outcome;
    }
    resuming = &resume;
    outcome = resume_all(L, &resume, message);
    resume.limit = 0;
    resume_watch(&resume, 1);
    lua_close(L);
    resume_watch(&resume, 0);
    resuming = NULL;
    heap_close(&job->heap);
    exact_close(&job->exact);
    ckptlua_free(resume.host);
    free(job);
    return outcome;
}
