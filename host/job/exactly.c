#include "job/exactly.h"

#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "base/clock.h"
#include "exact/address.h"
#include "exact/capture.h"
#include "exact/finalizers.h"
#include "exact/hook.h"
#include "exact/nodes_check.h"
#include "exact/points.h"
#include "exact/rebuild.h"
#include "job/leave.h"
#include "job/library.h"
#include "job/point.h"
#include "job/save.h"
#include "job/say.h"
#include "value/decode.h"
#include "value/late.h"
#include "value/registry.h"

/* Seconds after which it is said what holds a save up. */
#define EXACTLY_PATIENCE 10.0

/* Instructions at which a save before an exit is tried, when values refuse. */
enum { EXACTLY_RETRIES = 300 };

/* Attempts at each instruction; then the hook comes every so many, and more, instructions. */
enum { EXACTLY_AT_ONCE = 256, EXACTLY_SOON = 1024, EXACTLY_STEP = 16, EXACTLY_LONG_STEP = 256 };

/* In the registry: list; {name -> function}; list of tables, until the script goes on. */
static const char exactly_resumed, exactly_transients, exactly_finalizers;

uint32_t exactly_hash_seed(int64_t seed)
{
    uint64_t mixed = ((uint64_t)seed ^ (uint64_t)seed >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)(mixed >> 32);
}

void exactly_check(struct job *job)
{
    struct error cause;
    job->exact.is_checked = vm_check(&job->exact.vm, &cause) == 0;
    if (!job->exact.is_checked)
        error_set(&job->not_exact, ERROR_INVALID, "exact resume is not possible here: %s",
                  cause.message);
    heap_open(&job->heap, 0);
    job->exact.keeps_layout =
        job->exact.is_checked && nodes_check_order(&job->heap, &job->not_laid) == 0;
}

int exactly_switch_on(struct job *job, struct error *error)
{
    if (!job->exact.is_checked) {
        *error = job->not_exact;
        return error->code;
    }
    job->exact_mode = 1;
    return 0;
}

enum exact_texts exactly_texts(const struct job *job)
{
    if (job->exact_mode)
        return EXACT_ALL_TEXTS;
    /* Functions that are in globals; what load has compiled could not be dropped again, as
     * functions may be elsewhere that no save meets. */
    return job->exact.is_checked ? EXACT_TEXTS_OF_MODULES : EXACT_NO_TEXTS;
}

/* ---------------------------------------------------------------- on the host's thread */

struct exactly_call {
    struct job *job;
    const char *reason;
    int code, signal;
    int result;
};

/* Runs function(call) on the host's own thread, as that of L is to stay as it is. */
static int exactly_do(lua_State *L, lua_CFunction function, struct exactly_call *call)
{
    struct job *job = call->job;
    lua_State *scratch = job->exact.scratch;
    if (!lua_checkstack(scratch, LUA_MINSTACK))
        luaL_error(L, "not enough memory");
    lua_pushcfunction(scratch, function);
    lua_pushlightuserdata(scratch, call);
    int own = exact_own(&job->exact, ZONE_HOSTS);
    collections_pass(&job->exact);
    int status = lua_pcall(scratch, 1, 0, 0);
    collections_count(&job->exact);
    exact_own(&job->exact, own);
    if (job->leaving)
        leave_again(L, job);
    if (status != LUA_OK && job->retry) {
        lua_pop(scratch, 1);
        hook_request(&job->exact);
        return 0;
    }
    if (status == LUA_OK)
        return call->result;
    if (L != scratch)
        lua_xmove(scratch, L, 1);
    return lua_error(L);
}

/* capture_obstacle, with what there is on the host's thread. */
static int exactly_obstacle(struct job *job)
{
    collections_pass(&job->exact);
    int is_held = capture_obstacle(job->exact.scratch, &job->exact);
    collections_count(&job->exact);
    return is_held;
}

/* ---------------------------------------------------------------- saves anywhere */

void exactly_request(struct job *job)
{
    if (job->exact_mode)
        hook_request(&job->exact);
}

/* What holds a save up is on top of L; after a while it is said. */
static void exactly_wait(lua_State *L, struct job *job)
{
    double now = clock_monotonic();
    snprintf(job->held_by, sizeof job->held_by, "%s", lua_tostring(L, -1));
    if (job->held_since == 0)
        job->held_since = now;
    if (now - job->held_since < EXACTLY_PATIENCE || job->held_told)
        return;
    job->held_told = 1;
    say_note(job, "a save has been waiting for 10 s for %s to end", job->held_by);
}

static int exactly_do_reach(lua_State *L);

/* A value that cannot be saved may be in a register for some instructions only, such as a file that
 * is read from and closed: then the next instruction is tried. */
static void exactly_save_anywhere(lua_State *L, struct job *job)
{
    struct exactly_call call = {.job = job};
    if (job->retries == 0)
        job->retries = EXACTLY_RETRIES;
    exactly_do(L, exactly_do_reach, &call);
    if (!job->retry)
        job->retries = 0;
    job->retry = 0;
}

static void exactly_hook(lua_State *L, lua_Debug *debug)
{
    struct job *job = host_job(L);
    struct exact *exact = &job->exact;
    (void)debug;
    if (L != exact->current) {
        lua_sethook(L, NULL, 0, 0);
        return;
    }
    if (!job->in_hook)
        collections_take(L, exact);
    if (job->leaving) /* a finalizer has ended the job */
        leave_again(L, job);
    if (job->in_hook) { /* what is due stays so until the function of ckpt.transient returns */
        hook_relax(exact, EXACTLY_LONG_STEP);
        return;
    }
    if (!schedule_is_due(job->schedule)) {
        hook_disarm(exact, L);
        if (schedule_is_due(job->schedule)) /* just now */
            hook_request(exact);
        return;
    }
    if (exactly_obstacle(job)) {
        int attempts = ++job->attempts;
        if (attempts % EXACTLY_STEP == 0)
            exactly_wait(exact->scratch, job);
        lua_pop(exact->scratch, 1);
        hook_relax(exact, attempts < EXACTLY_AT_ONCE ? 1
                          : attempts < EXACTLY_SOON  ? EXACTLY_STEP
                                                     : EXACTLY_LONG_STEP);
        return;
    }
    job->attempts = 0;
    job->held_since = 0;
    *job->held_by = '\0';
    hook_disarm(exact, L);
    job->retry = 0;
    exactly_save_anywhere(L, job);
}

/* ---------------------------------------------------------------- points */

/* (struct exactly_call *), on the host's thread */
static int exactly_do_reach(lua_State *L)
{
    struct exactly_call *call = lua_touserdata(L, 1);
    call->result = point_reach(L, call->job, call->reason);
    return 0;
}

static int exactly_do_save(lua_State *L)
{
    struct exactly_call *call = lua_touserdata(L, 1);
    call->result = point_save_now(L, call->job, call->reason);
    return 0;
}

static int exactly_do_exit(lua_State *L)
{
    struct exactly_call *call = lua_touserdata(L, 1);
    point_exit(L, call->job, call->reason, call->reason, call->code, call->signal);
}

static void exactly_check_possible(lua_State *L, struct job *job, const char *what)
{
    lua_State *scratch = job->exact.scratch;
    if (!exactly_obstacle(job))
        return;
    lua_xmove(scratch, L, 1);
    luaL_error(L, "%s: nothing can be saved inside of %s", what, lua_tostring(L, -1));
}

int exactly_reach(lua_State *L, struct job *job, const char *reason)
{
    struct exactly_call call = {.job = job, .reason = reason};
    if (L != job->exact.scratch && exactly_obstacle(job)) {
        lua_pop(job->exact.scratch, 1);
        if (reason != NULL)
            exactly_check_possible(L, job, "checkpoint(true)");
        exactly_request(job);
        return 0;
    }
    return exactly_do(L, exactly_do_reach, &call);
}

int exactly_save_now(lua_State *L, struct job *job, const char *reason)
{
    struct exactly_call call = {.job = job, .reason = reason};
    exactly_check_possible(L, job, reason);
    return exactly_do(L, exactly_do_save, &call);
}

_Noreturn void exactly_exit(lua_State *L, struct job *job, const char *reason, int code, int signal)
{
    struct exactly_call call = {.job = job, .reason = reason, .code = code, .signal = signal};
    exactly_check_possible(L, job, reason);
    exactly_do(L, exactly_do_exit, &call);
    __builtin_unreachable();
}

/* ---------------------------------------------------------------- the base environment */

/* The script's message handler, as lua's own: a traceback behind the message. */
static int exactly_traceback(lua_State *L)
{
    const char *message = lua_tostring(L, 1);
    if (leave_is_unwinding(L, 1))
        return 1;
    if (message == NULL) {
        if (luaL_callmeta(L, 1, "__tostring") && lua_type(L, -1) == LUA_TSTRING)
            return 1;
        message = lua_pushfstring(L, "(error object is a %s value)", luaL_typename(L, 1));
    }
    luaL_traceback(L, L, message, 1);
    return 1;
}

static void exactly_leave(lua_State *L, void *context)
{
    leave_again(L, context);
}

void exactly_open(lua_State *L, struct job *job)
{
    job->exact.context = job;
    job->exact.handler = exactly_traceback;
    job->exact.hook = exactly_hook;
    job->exact.leave = exactly_leave;
    exact_open(L, &job->exact);
    int own = exact_own(&job->exact, ZONE_HOSTS);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &exactly_resumed);
    lua_newtable(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &exactly_transients);
    exact_own(&job->exact, own);
}

void exactly_add_script(lua_State *L, struct job *job)
{
    int own = exact_own(&job->exact, ZONE_HOSTS);
    /* Not by its path, which may be written in other ways. */
    code_add(L, &job->exact.code, "script", NULL, 0)->lasting = 1;
    exact_own(&job->exact, own);
}

void exactly_add_point(lua_State *L, struct job *job, lua_CFunction function,
                       lua_KFunction continuation)
{
    points_add(L, &job->exact, function, POINT_TOP, continuation, 0);
}

/* ---------------------------------------------------------------- where the script is */

/* Fills *debug for the innermost function written in Lua from that level on. Returns its level, or
 * -1. */
static int exactly_find_lua(lua_State *thread, int level, lua_Debug *debug)
{
    for (; lua_getstack(thread, level, debug) != 0; level++) {
        lua_getinfo(thread, "Sln", debug);
        if (*debug->what != 'C')
            return level;
    }
    return -1;
}

/* The caller may be on the stack of the thread that has resumed this one. */
static int exactly_find_caller(const struct exact *exact, int level, lua_Debug *debug)
{
    if (exactly_find_lua(exact->current, level + 1, debug) >= 0)
        return 1;
    for (const struct exact_resumer *resumer = exact->resumers; resumer != NULL;
         resumer = resumer->previous)
        if (exactly_find_lua(resumer->thread, 0, debug) >= 0)
            return 1;
    return 0;
}

int exactly_push_place(lua_State *L, const struct job *job)
{
    const struct exact *exact = &job->exact;
    lua_Debug debug;
    int level = job->exact_mode ? exactly_find_lua(exact->current, 0, &debug) : -1;
    if (level < 0)
        return 0;
    lua_pushfstring(L, "%s:%d", debug.short_src, debug.currentline);
    if (debug.name != NULL) {
        lua_pushfstring(L, ", in function '%s'", debug.name);
        lua_concat(L, 2);
    }
    if (exactly_find_caller(exact, level, &debug)) {
        lua_pushfstring(L, ", called from %s:%d", debug.short_src, debug.currentline);
        lua_concat(L, 2);
    }
    return 1;
}

/* ---------------------------------------------------------------- roots */

void exactly_add_resumed(lua_State *L, int index)
{
    const struct exact *exact = exact_of(L);
    int own = exact_own(exact, ZONE_HOSTS);
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &exactly_resumed);
    lua_pushvalue(L, index);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
    exact_own(exact, own);
}

void exactly_add_transient(lua_State *L, const char *name, int index)
{
    const struct exact *exact = exact_of(L);
    int own = exact_own(exact, ZONE_HOSTS);
    index = lua_absindex(L, index);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &exactly_transients);
    lua_pushvalue(L, index);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    exact_own(exact, own);
}

/* Pushes a value of each basic type that has a metatable of its own: false for nil, which has one
 * too. */
static int exactly_push_basic(lua_State *L, int type)
{
    switch (type) {
    case LUA_TNIL:
        lua_pushnil(L);
        return 1;
    case LUA_TBOOLEAN:
        lua_pushboolean(L, 1);
        return 1;
    case LUA_TNUMBER:
        lua_pushinteger(L, 0);
        return 1;
    case LUA_TSTRING:
        lua_pushliteral(L, "");
        return 1;
    case LUA_TFUNCTION:
        lua_pushcfunction(L, exactly_do_reach);
        return 1;
    case LUA_TTHREAD:
        lua_pushthread(L);
        return 1;
    default:
        return 0;
    }
}

/* {[type + 1] = metatable} of the basic types */
static void exactly_push_metatables(lua_State *L)
{
    lua_newtable(L);
    for (int type = LUA_TNIL; type < LUA_NUMTYPES; type++) {
        if (!exactly_push_basic(L, type))
            continue;
        if (lua_getmetatable(L, -1)) {
            lua_rawseti(L, -3, type + 1);
        }
        lua_pop(L, 1);
    }
}

static void exactly_take_metatables(lua_State *L)
{
    int metatables = lua_gettop(L);
    for (int type = LUA_TNIL; type < LUA_NUMTYPES; type++) {
        if (!exactly_push_basic(L, type))
            continue;
        if (lua_rawgeti(L, metatables, type + 1) != LUA_TTABLE) {
            lua_pop(L, 1);
            lua_pushnil(L);
        }
        lua_setmetatable(L, -2);
        lua_pop(L, 1);
    }
}

void exactly_push_roots(lua_State *L, struct job *job)
{
    luaL_checkstack(L, 12, NULL);
    lua_createtable(L, 0, 9);
    lua_pushthread(job->exact.main);
    lua_xmove(job->exact.main, L, 1);
    lua_setfield(L, -2, "main");
    save_push_hooks(L);
    lua_setfield(L, -2, "on_save");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &exactly_resumed);
    lua_setfield(L, -2, "on_resume");
    lua_rawgetp(L, LUA_REGISTRYINDEX, &exactly_transients);
    lua_setfield(L, -2, "transients");
    registry_push_classes(L);
    lua_setfield(L, -2, "classes");
    exactly_push_metatables(L);
    lua_setfield(L, -2, "metatables");
    lua_pushboolean(L, job->collects);
    lua_setfield(L, -2, "collects");
    library_push(L, job);
    lua_setfield(L, -2, "settings");
    if (job->exact.collections.on) {
        collections_push(L, &job->exact);
        lua_setfield(L, -2, "collections");
    }
}

/* Pushes roots[name], which must be a table. */
static void exactly_root(lua_State *L, int roots, const char *name)
{
    if (lua_getfield(L, roots, name) != LUA_TTABLE)
        luaL_error(L, "the snapshot has no '%s'", name);
}

static int exactly_has(lua_State *L, int roots, const char *name)
{
    int top = lua_gettop(L);
    exactly_root(L, roots, name);
    lua_pushnil(L);
    int has = lua_next(L, -2);
    lua_settop(L, top);
    return has;
}

static void exactly_take_classes(lua_State *L, int roots)
{
    exactly_root(L, roots, "classes");
    int classes = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, classes) != 0; lua_settop(L, classes + 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE ||
            lua_rawgeti(L, -1, 1) != LUA_TTABLE)
            luaL_error(L, "the snapshot has a class that is none");
        lua_rawgeti(L, -2, 2);
        lua_rawgeti(L, -3, 3);
        int has = lua_isfunction(L, -1) && lua_isfunction(L, -2), value = lua_gettop(L);
        registry_add_class(L, lua_tostring(L, classes + 1), value - 2, has ? value - 1 : 0,
                           has ? value : 0);
    }
    lua_pop(L, 1);
}

/* global name = f(), and all that refers to it */
static void exactly_make_transient(lua_State *L, struct job *job, const char *name)
{
    job->in_hook = 1;
    lua_call(L, 0, 1);
    job->in_hook = 0;
    if (lua_isnil(L, -1))
        luaL_error(L, "ckpt.transient: the function for '%s' gave nil", name);
    lua_pushglobaltable(L);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    registry_set_transient(L, name);
    lua_pushfstring(L, "transient:%s", name);
    lua_insert(L, -2);
    late_resolve(L, lua_tostring(L, -2));
    lua_pop(L, 1);
}

static void exactly_make_transients(lua_State *L, struct job *job, int roots)
{
    exactly_root(L, roots, "transients");
    int transients = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, transients) != 0; lua_settop(L, transients + 1)) {
        if (lua_type(L, -2) != LUA_TSTRING || !lua_isfunction(L, -1))
            luaL_error(L, "the snapshot has a transient value that is none");
        exactly_make_transient(L, job, lua_tostring(L, -2));
    }
    lua_pop(L, 1);
}

void exactly_take_roots(lua_State *L, struct job *job, int roots)
{
    luaL_checkstack(L, 20, NULL);
    roots = lua_absindex(L, roots);
    exactly_root(L, roots, "on_save");
    save_set_hooks(L);
    exactly_root(L, roots, "on_resume");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &exactly_resumed);
    exactly_root(L, roots, "transients");
    lua_rawsetp(L, LUA_REGISTRYINDEX, &exactly_transients);
    exactly_take_classes(L, roots);
    exactly_make_transients(L, job, roots);
    late_sweep(L); /* objects by the loaders of their classes */
    rebuild_threads(L, &job->exact,
                    exactly_has(L, roots, "transients") || exactly_has(L, roots, "classes"));
    if (lua_getfield(L, roots, "main") != LUA_TTHREAD ||
        lua_status(lua_tothread(L, -1)) != LUA_YIELD)
        luaL_error(L, "the snapshot has no stack of calls");
    exact_set_main(L, &job->exact, -1);
    lua_pop(L, 1);
    lua_getfield(L, roots, "collects");
    job->collects = lua_toboolean(L, -1);
    if (lua_getfield(L, roots, "settings") == LUA_TTABLE) /* there were none once */
        library_set(L, job, lua_gettop(L));
    if (lua_getfield(L, roots, "collections") == LUA_TTABLE)
        collections_set(L, &job->exact, lua_gettop(L));
    lua_pop(L, 3);
    exactly_root(L, roots, "metatables");
    exactly_take_metatables(L);
    lua_getfield(L, roots, "finalizers"); /* there were none once */
    lua_rawsetp(L, LUA_REGISTRYINDEX, &exactly_finalizers);
    lua_pop(L, 1);
}

void exactly_mark_finalizers(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &exactly_finalizers) == LUA_TTABLE) {
        finalizers_gather(L, -1);
        decode_mark_finalizers(L, -1);
    }
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &exactly_finalizers);
    lua_pop(L, 1);
}

void exactly_call_resumed(lua_State *L, struct job *job)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &exactly_resumed);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    job->in_hook = 1;
    lua_pushcfunction(L, exactly_traceback);
    lua_insert(L, -2);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, -1, i);
        if (lua_pcall(L, 0, 0, -3) != LUA_OK)
            lua_error(L);
    }
    job->in_hook = 0;
    lua_pop(L, 2);
}
