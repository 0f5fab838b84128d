#include "job/module.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "exact/collections.h"
#include "job/config.h"
#include "job/exactly.h"
#include "job/filetable.h"
#include "job/finish.h"
#include "job/leave.h"
#include "job/load.h"
#include "job/paths.h"
#include "job/point.h"
#include "job/random.h"
#include "job/save.h"
#include "job/say.h"
#include "store/generations.h"
#include "value/late.h"
#include "value/registry.h"

static const char module_key; /* registry: the table ckpt */

/* checkpoint([now]) -> saved
 * Called in inner loops: each call of Lua's API counts. */
static int module_checkpoint(lua_State *L)
{
    struct job *job = exact_of(L)->context;
    int due = atomic_load_explicit(&job->schedule->due, memory_order_relaxed);
    if (!due && (lua_gettop(L) == 0 || !lua_toboolean(L, 1))) {
        lua_pushboolean(L, 0);
        return 1;
    }
    const char *reason = lua_toboolean(L, 1) ? "the script asked for it" : NULL;
    int saved = job->exact_mode ? exactly_reach(L, job, reason) : point_reach(L, job, reason);
    lua_pushboolean(L, saved);
    return 1;
}

/* In a continued job: the call of checkpoint or ckpt.mark in which the snapshot was saved. */
static int module_saved_again(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    lua_pushboolean(L, 1);
    return 1;
}

/* The same of ckpt.exit and os.exit: goes on behind it. */
static int module_exited_again(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 0;
}

/* Saves and ends the job. */
static _Noreturn void module_save_and_exit(lua_State *L, struct job *job, const char *reason,
                                           int code, int signal)
{
    if (job->exact_mode)
        exactly_exit(L, job, reason, code, signal);
    point_exit(L, job, reason, reason, code, signal);
}

/* A checkpoint code given by the script: 6 to 255. */
static int module_exit_code(lua_State *L, int index)
{
    lua_Integer code = luaL_checkinteger(L, index);
    luaL_argcheck(L, code > CKPTLUA_BUSY && code <= 255, index, "an exit code from 6 to 255");
    return (int)code;
}

/* ckpt.exit([code]) */
static int module_exit(lua_State *L)
{
    struct job *job = host_job(L);
    const struct options *options = &job->host->options;
    if (lua_isnoneornil(L, 1))
        module_save_and_exit(L, job, "ckpt.exit", options->exit_code, options->exit_signal);
    module_save_and_exit(L, job, "ckpt.exit", module_exit_code(L, 1), 0);
}

/* os.exit([code [, close]]); the checkpoint code saves first. */
static int module_os_exit(lua_State *L)
{
    struct job *job = host_job(L);
    int code = EXIT_SUCCESS;
    if (lua_isboolean(L, 1))
        code = lua_toboolean(L, 1) ? EXIT_SUCCESS : EXIT_FAILURE;
    else if (!lua_isnoneornil(L, 1))
        code = (int)(luaL_checkinteger(L, 1) & 0xFF); /* what the system makes of it */
    if (job->leaving)
        leave_job(L, job, job->code, 0);
    if (code == job->host->options.exit_code)
        module_save_and_exit(L, job, "os.exit", code, 0);
    /* The script of a host without on_exit is unwound first, and then ends as any other. */
    if (job->host->on_exit != NULL) {
        int close = lua_toboolean(L, 2);
        if (code == EXIT_SUCCESS)
            code = finish_job(L, job, close);
        else if (close && !job->is_closing)
            finish_close_state(job);
    }
    leave_job(L, job, code, 0);
}

/* Calls f with no arguments, in a time when it must not save; leaves `results` values. What it
 * makes has no place and does not count, as it is made at other moments in a continued job. */
static void module_call_hook(lua_State *L, struct job *job, int f, int results)
{
    lua_pushvalue(L, f);
    int before = job->in_hook, own = exact_own(&job->exact, ZONE_HOSTS);
    collections_pass(&job->exact);
    job->in_hook = 1;
    int status = lua_pcall(L, 0, results, 0);
    job->in_hook = before;
    collections_count(&job->exact);
    exact_own(&job->exact, own);
    if (status != LUA_OK)
        lua_error(L);
}

/* ckpt.on_resume(f) */
static int module_on_resume(lua_State *L)
{
    struct job *job = host_job(L);
    luaL_checktype(L, 1, LUA_TFUNCTION);
    if (job->exact_mode)
        exactly_add_resumed(L, 1);
    else if (job->continued)
        module_call_hook(L, job, 1, 0);
    return 0;
}

/* ckpt.on_save(f) */
static int module_on_save(lua_State *L)
{
    const struct exact *exact = &host_job(L)->exact;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    int own = exact_own(exact, ZONE_HOSTS);
    save_add_hook(L, 1);
    exact_own(exact, own);
    return 0;
}

/* ckpt.transient(name, f) */
static int module_transient(lua_State *L)
{
    struct job *job = host_job(L);
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TFUNCTION);
    lua_settop(L, 2);
    exactly_add_transient(L, name, 2);
    random_push(L);
    module_call_hook(L, job, 2, 1);
    random_set(L, 3);
    if (lua_isnil(L, 4))
        return luaL_error(L, "ckpt.transient: the function for '%s' gave nil", name);
    lua_pushglobaltable(L);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 4);
    lua_rawset(L, 5);
    lua_settop(L, 4);
    int own = exact_own(&job->exact, ZONE_HOSTS);
    registry_set_transient(L, name);
    exact_own(&job->exact, own);
    lua_pushfstring(L, "transient:%s", name);
    lua_insert(L, 4);
    late_resolve(L, lua_tostring(L, 4));
    return 0;
}

/* ckpt.register(name, metatable [, {save = f, load = g}]) */
static int module_register(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    int save = 0, load = 0;
    lua_settop(L, 3);
    if (!lua_isnil(L, 3)) {
        luaL_checktype(L, 3, LUA_TTABLE);
        lua_getfield(L, 3, "save");
        lua_getfield(L, 3, "load");
        luaL_argcheck(L, lua_isfunction(L, 4) && lua_isfunction(L, 5), 3,
                      "two functions, save and load, are expected");
        save = 4;
        load = 5;
    }
    luaL_argcheck(L, !late_describe(L, 2), 2,
                  "this is the stand-in from the snapshot; make the class anew when the script "
                  "starts");
    const struct exact *exact = &host_job(L)->exact;
    int own = exact_own(exact, ZONE_HOSTS);
    registry_add_class(L, name, 2, save, load);
    exact_own(exact, own);
    late_resolve_class(L, name);
    lua_settop(L, 2);
    return 1;
}

static int module_is_mark(const char *name)
{
    if (!isalnum((unsigned char)*name))
        return 0;
    for (; *name != '\0'; name++)
        if (!isalnum((unsigned char)*name) && strchr("._-", *name) == NULL)
            return 0;
    return 1;
}

/* ckpt.mark(name) -> saved */
static int module_mark(lua_State *L)
{
    struct job *job = host_job(L);
    struct error error;
    char reason[128];
    const char *name = luaL_checkstring(L, 1);
    luaL_argcheck(L, module_is_mark(name) && strlen(name) <= 100, 1,
                  "a mark is named with letters, digits, '.', '_' and '-'");
    snprintf(reason, sizeof reason, "mark %s", name);
    int saved = job->exact_mode ? exactly_save_now(L, job, reason) : point_save_now(L, job, reason);
    if (!saved) {
        lua_pushboolean(L, 0);
        return 1;
    }
    lua_pushfstring(L, "%s@%s", job->file, name);
    if (generations_keep_as(job->file, lua_tostring(L, -1), &error) != 0)
        return luaL_error(L, "ckpt.mark: %s", error.message);
    say_detail(job, "kept as %s@%s", job->shown, name);
    lua_pushboolean(L, 1);
    return 1;
}

/* Whether file is the snapshot of the job, under any of its names. */
static int module_is_own(lua_State *L, const struct job *job, const char *file)
{
    struct place own, place;
    const char *start = filetable_get(L)->start;
    return paths_find(&own, start, job->file) == 0 && paths_find(&place, start, file) == 0 &&
           strcmp(own.identity, place.identity) == 0;
}

/* ckpt.save(file, table) or ckpt.save(file, "x", "y", ...) */
static int module_save(lua_State *L)
{
    struct job *job = host_job(L);
    const char *file = luaL_checkstring(L, 1);
    int names = lua_gettop(L);
    if (!lua_istable(L, 2)) {
        lua_createtable(L, 0, names);
        lua_pushglobaltable(L);
        for (int i = 2; i <= names; i++) {
            const char *name = luaL_checkstring(L, i);
            if (lua_getfield(L, names + 2, name) == LUA_TNIL)
                return luaL_error(L, "ckpt.save: there is no global '%s'", name);
            lua_setfield(L, names + 1, name);
        }
        lua_settop(L, names + 1);
        lua_replace(L, 2);
        luaL_argcheck(L, names >= 2, 2, "a table, or names of globals, expected");
    }
    lua_settop(L, 2);
    for (lua_pushnil(L); lua_next(L, 2) != 0; lua_pop(L, 1))
        if (lua_type(L, -2) != LUA_TSTRING)
            return luaL_error(L, "ckpt.save: the names of variables must be strings, not %s",
                              luaL_typename(L, -2));
    if (module_is_own(L, job, file))
        return luaL_error(L, "ckpt.save: %s is the snapshot of this job; take another name", file);
    save_variables(L, job, file, 2);
    return 0;
}

/* ckpt.load(file) -> table; ckpt.load(file, "x", "y", ...) -> values */
static int module_load(lua_State *L)
{
    const char *file = luaL_checkstring(L, 1);
    int names = lua_gettop(L);
    for (int i = 2; i <= names; i++)
        luaL_checkstring(L, i);
    luaL_checkstack(L, names, NULL);
    load_variables(L, file);
    if (names == 1)
        return 1;
    for (int i = 2; i <= names; i++) {
        lua_pushvalue(L, i);
        if (lua_rawget(L, names + 1) == LUA_TNIL)
            return luaL_error(L, "ckpt.load: there is no '%s' in %s", lua_tostring(L, i), file);
    }
    return names - 1;
}

/* ckpt.progress(done, total [, text]) */
static int module_progress(lua_State *L)
{
    struct job *job = host_job(L);
    double done = luaL_checknumber(L, 1), total = luaL_checknumber(L, 2);
    const char *text = luaL_optstring(L, 3, "");
    luaL_argcheck(L, isfinite(done), 1, "a finite number expected");
    luaL_argcheck(L, isfinite(total) && total > 0, 2, "a number above 0 expected");
    pthread_mutex_lock(&job->host->speak);
    job->progress.done = done;
    job->progress.total = total;
    job->progress.everywhere = 1;
    snprintf(job->progress.text, sizeof job->progress.text, "%s", text);
    pthread_mutex_unlock(&job->host->speak);
    return 0;
}

/* ckpt.sleep(seconds) -> seconds left */
static int module_sleep(lua_State *L)
{
    double seconds = luaL_checknumber(L, 1);
    luaL_argcheck(L, seconds >= 0, 1, "a number of seconds expected");
    fflush(stdout); /* what was printed is seen before the pause */
    struct job *job = host_job(L);
    double left = schedule_sleep(job->schedule, seconds);
    while (left > 0 && job->exact_mode && !job->in_hook) {
        lua_settop(L, 0); /* a continued job sleeps the rest */
        lua_pushnumber(L, left);
        exactly_reach(L, job, NULL);
        lua_settop(L, 1);
        left = schedule_sleep(job->schedule, left);
    }
    lua_pushnumber(L, left);
    return 1;
}

static int module_sleep_again(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return module_sleep(L);
}

/* ckpt.config{...} */
static int module_config(lua_State *L)
{
    struct job *job = host_job(L);
    luaL_checktype(L, 1, LUA_TTABLE);
    config_set(L, job, 1);
    config_apply(L, job);
    return 0;
}

/* package.loaded[name] = module: what the snapshot refers to of the module is put in place. */
static int module_loaded(lua_State *L)
{
    lua_rawset(L, 1);
    late_sweep(L);
    return 0;
}

void module_watch_loading(lua_State *L, int on)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (on) {
        lua_createtable(L, 0, 1);
        lua_pushcfunction(L, module_loaded);
        lua_setfield(L, -2, "__newindex");
    } else {
        lua_pushnil(L);
    }
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
}

void module_set_counts(lua_State *L, const struct job *job)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &module_key); /* the global is the script's to change */
    lua_pushinteger(L, job->resumed);
    lua_setfield(L, -2, "resumed");
    lua_pushinteger(L, job->saves);
    lua_setfield(L, -2, "saves");
    lua_pop(L, 1);
}

void module_open(lua_State *L, struct job *job)
{
    static const luaL_Reg functions[] = {
        {"exit", module_exit},         {"on_resume", module_on_resume},
        {"on_save", module_on_save},   {"transient", module_transient},
        {"register", module_register}, {"mark", module_mark},
        {"save", module_save},         {"load", module_load},
        {"progress", module_progress}, {"sleep", module_sleep},
        {"config", module_config},     {NULL, NULL},
    };
    load_open_type(L);
    luaL_newlib(L, functions);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &module_key);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_pushvalue(L, -2);
    lua_setfield(L, -2, "ckpt");
    lua_pop(L, 1);
    lua_setglobal(L, "ckpt");
    lua_pushcfunction(L, module_checkpoint);
    lua_setglobal(L, "checkpoint");
    lua_getglobal(L, "os");
    lua_pushcfunction(L, module_os_exit);
    lua_setfield(L, -2, "exit");
    lua_pop(L, 1);
    module_set_counts(L, job);
    exactly_add_point(L, job, module_checkpoint, module_saved_again);
    exactly_add_point(L, job, module_mark, module_saved_again);
    exactly_add_point(L, job, module_exit, module_exited_again);
    exactly_add_point(L, job, module_os_exit, module_exited_again);
    exactly_add_point(L, job, module_sleep, module_sleep_again);
}
