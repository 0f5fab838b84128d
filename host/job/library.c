#include "job/library.h"

#include <locale.h>
#include <stddef.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "exact/address.h"
#include "exact/strings.h"
#include "job/leave.h"
#include "job/say.h"

static const char library_locale; /* registry: the locale before the script changes it */

/* ---------------------------------------------------------------- the collector */

static const struct library_parameter {
    const char *name;
    size_t offset; /* in struct collector */
} library_parameters[] = {{"pause", offsetof(struct collector, pause)},
                          {"stepmul", offsetof(struct collector, stepmul)},
                          {"stepsize", offsetof(struct collector, stepsize)},
                          {"minor", offsetof(struct collector, minor)},
                          {"major", offsetof(struct collector, major)}};

enum { LIBRARY_PARAMETERS = sizeof library_parameters / sizeof *library_parameters };

static int *library_parameter(struct collector *collector, int number)
{
    return (int *)(void *)((char *)collector + library_parameters[number].offset);
}

/* An argument of collectgarbage; 0 leaves the parameter as it is. */
static void library_note(lua_State *L, int index, int *parameter)
{
    int value = (int)luaL_optinteger(L, index, 0);
    if (value != 0)
        *parameter = value;
}

static int library_given(int value)
{
    return value < 0 ? 0 : value;
}

static void library_start_collector(struct job *job)
{
    struct collector *collector = &job->collector;
    lua_State *L = job->L;
    collector->waits = 0;
    if (job->exact.collections.on) { /* it does not work by itself, nor in any mode */
        job->exact.collections.pause = &collector->pause;
        if (!job->continued)
            lua_gc(L, LUA_GCCOLLECT); /* what has been made for the start only */
        if (collector->pause >= 0)
            lua_gc(L, LUA_GCSETPAUSE, collector->pause);
        if (collector->stepmul >= 0)
            lua_gc(L, LUA_GCSETSTEPMUL, collector->stepmul);
        return;
    }
    if (collector->stepsize > 0)
        lua_gc(L, LUA_GCINC, 0, 0, collector->stepsize);
    if (collector->pause >= 0)
        lua_gc(L, LUA_GCSETPAUSE, collector->pause);
    if (collector->stepmul >= 0)
        lua_gc(L, LUA_GCSETSTEPMUL, collector->stepmul);
    lua_gc(L, LUA_GCGEN, library_given(collector->minor), library_given(collector->major));
    if (collector->incremental)
        lua_gc(L, LUA_GCINC, 0, 0, 0);
}

/* Whether what is done depends on the way in which the collector works. */
static int library_uses_mode(const char *option)
{
    return strcmp(option, "restart") == 0 || strcmp(option, "step") == 0 ||
           strcmp(option, "incremental") == 0 || strcmp(option, "generational") == 0;
}

/* Lua's collector is incremental, and stays so. */
static void library_note_mode(lua_State *L, struct collector *collector, int incremental)
{
    lua_pushstring(L, collector->incremental ? "incremental" : "generational");
    collector->incremental = incremental;
    library_note(L, 2, incremental ? &collector->pause : &collector->minor);
    library_note(L, 3, incremental ? &collector->stepmul : &collector->major);
    if (!incremental)
        return;
    library_note(L, 4, &collector->stepsize);
    lua_gc(L, LUA_GCINC, library_given(collector->pause), library_given(collector->stepmul),
           library_given(collector->stepsize)); /* for "setpause" and the like to tell */
}

/* What the script asks for is done, but not while the functions of ckpt.on_save and the like run:
 * what is collected must not depend on them. */
static int library_collect(lua_State *L, struct job *job, int whole, lua_Integer kilobytes)
{
    int finished = 1;
    if (job->in_hook || !job->exact.collections.running)
        return 0;
    if (whole)
        collections_make(L, &job->exact);
    else
        finished =
            collections_step(L, &job->exact, kilobytes < 0 ? 0 : (uint64_t)kilobytes % INT32_MAX);
    if (job->leaving) /* a finalizer has ended the job */
        leave_again(L, job);
    return finished;
}

static void library_stop(lua_State *L, struct job *job, int stopped)
{
    job->collects = !stopped;
    if (job->exact.collections.running)
        collections_stop(L, &job->exact, stopped);
}

/* collectgarbage where the moments of collections are repeatable: pushes its result and returns 1,
 * or returns 0 where the stock one does. */
static int library_deterministic(lua_State *L, struct job *job, const char *option)
{
    if (job->is_over || lua_gc(L, LUA_GCISRUNNING) < 0) /* it does nothing in a finalizer */
        return 0;
    if (strcmp(option, "collect") == 0) {
        library_collect(L, job, 1, 0);
        lua_pushinteger(L, 0);
    } else if (strcmp(option, "step") == 0) {
        lua_pushboolean(L, library_collect(L, job, 0, luaL_optinteger(L, 2, 0)));
    } else if (strcmp(option, "stop") == 0 || strcmp(option, "restart") == 0) {
        library_stop(L, job, *option == 's');
        lua_pushinteger(L, 0);
    } else if (strcmp(option, "isrunning") == 0) {
        lua_pushboolean(L, job->collects);
    } else if (strcmp(option, "incremental") == 0 || strcmp(option, "generational") == 0) {
        library_note_mode(L, &job->collector, *option == 'i');
    } else {
        return 0;
    }
    return 1;
}

/* collectgarbage([option [, ...]]); its upvalue is the stock one. */
static int library_collectgarbage(lua_State *L)
{
    struct collector *collector = &host_job(L)->collector;
    char option[16] = "";
    if (lua_isnoneornil(L, 1))
        strcpy(option, "collect");
    else if (lua_type(L, 1) == LUA_TSTRING && lua_rawlen(L, 1) < sizeof option)
        strcpy(option, lua_tostring(L, 1));
    lua_settop(L, 4); /* the option and what it may have; the results come behind */
    if (host_job(L)->exact.collections.on && library_deterministic(L, host_job(L), option))
        return 1;
    if (collector->waits && library_uses_mode(option))
        library_start_collector(host_job(L));
    int results = lua_tocfunction(L, lua_upvalueindex(1))(L);
    if (results < 1 || lua_isnil(L, -1)) /* in a finalizer it does nothing */
        return results;
    if (host_job(L)->is_running && (lua_isnil(L, 1) || strcmp(option, "collect") == 0))
        address_collected(&host_job(L)->exact);
    if (strcmp(option, "setpause") == 0) {
        collector->pause = (int)luaL_optinteger(L, 2, 0);
    } else if (strcmp(option, "setstepmul") == 0) {
        collector->stepmul = (int)luaL_optinteger(L, 2, 0);
    } else if (strcmp(option, "incremental") == 0) {
        collector->incremental = 1;
        library_note(L, 2, &collector->pause);
        library_note(L, 3, &collector->stepmul);
        library_note(L, 4, &collector->stepsize);
    } else if (strcmp(option, "generational") == 0) {
        collector->incremental = 0;
        library_note(L, 2, &collector->minor);
        library_note(L, 3, &collector->major);
    }
    return results;
}

static void library_push_collector(lua_State *L, struct job *job)
{
    lua_createtable(L, 0, LIBRARY_PARAMETERS + 1);
    lua_pushboolean(L, job->collector.incremental);
    lua_setfield(L, -2, "incremental");
    for (int i = 0; i < LIBRARY_PARAMETERS; i++) {
        int value = *library_parameter(&job->collector, i);
        if (value < 0)
            continue;
        lua_pushinteger(L, value);
        lua_setfield(L, -2, library_parameters[i].name);
    }
}

/* The table is on top. */
static void library_set_collector(lua_State *L, struct job *job)
{
    lua_getfield(L, -1, "incremental");
    job->collector.incremental = lua_toboolean(L, -1);
    lua_pop(L, 1);
    for (int i = 0; i < LIBRARY_PARAMETERS; i++) {
        lua_getfield(L, -1, library_parameters[i].name);
        lua_Integer value = lua_tointeger(L, -1);
        if (lua_isinteger(L, -1) && value >= 0 && value <= INT32_MAX)
            *library_parameter(&job->collector, i) = (int)value;
        lua_pop(L, 1);
    }
}

void library_start(struct job *job)
{
    job->collector.waits =
        job->continued && job->exact_mode && !job->collects && !job->exact.collections.on;
    if (!job->collector.waits)
        library_start_collector(job);
}

/* ---------------------------------------------------------------- the registry */

/* debug.getregistry(); its upvalue is the stock one. */
static int library_getregistry(lua_State *L)
{
    struct job *job = host_job(L);
    if (job->exact_mode && !job->registry_told) {
        job->registry_told = 1;
        luaL_where(L, 1);
        say_note(job,
                 "%swhat a script puts into debug.getregistry() is not saved; see docs/limits.md",
                 lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* ---------------------------------------------------------------- long strings */

/* A function that makes strings which Lua may remember; its upvalue is the stock one. */
static int library_forgetful(lua_State *L)
{
    if (host_job(L)->exact.collections.on)
        strings_forget(L);
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* ---------------------------------------------------------------- all of it */

static void library_replace(lua_State *L, const char *name, lua_CFunction function)
{
    lua_getfield(L, -1, name);
    lua_pushcclosure(L, function, 1);
    lua_setfield(L, -2, name);
}

void library_open(lua_State *L)
{
    host_job(L)->collector = (struct collector){0, 0, -1, -1, -1, -1, -1};
    lua_pushstring(L, setlocale(LC_ALL, NULL));
    lua_rawsetp(L, LUA_REGISTRYINDEX, &library_locale);
    lua_pushglobaltable(L);
    library_replace(L, "collectgarbage", library_collectgarbage);
    lua_getfield(L, -1, LUA_DBLIBNAME);
    library_replace(L, "getregistry", library_getregistry);
    library_replace(L, "getinfo", library_forgetful);
    lua_getfield(L, -2, LUA_OSLIBNAME);
    library_replace(L, "getenv", library_forgetful);
    library_replace(L, "setlocale", library_forgetful);
    lua_pop(L, 3);
}

void library_push(lua_State *L, struct job *job)
{
    luaL_checkstack(L, 6, NULL);
    lua_createtable(L, 0, 3);
    lua_pushstring(L, setlocale(LC_ALL, NULL));
    lua_rawgetp(L, LUA_REGISTRYINDEX, &library_locale);
    if (!lua_rawequal(L, -1, -2)) {
        lua_pushvalue(L, -2);
        lua_setfield(L, -4, "locale");
    }
    lua_pop(L, 2);
    lua_pushboolean(L, job->heap.warns);
    lua_setfield(L, -2, "warns");
    library_push_collector(L, job);
    lua_setfield(L, -2, "collector");
}

void library_set(lua_State *L, struct job *job, int index)
{
    luaL_checkstack(L, 6, NULL);
    if (lua_getfield(L, index, "locale") == LUA_TSTRING &&
        setlocale(LC_ALL, lua_tostring(L, -1)) == NULL)
        luaL_error(L, "the job has set the locale %s, which is not there on this machine",
                   lua_tostring(L, -1));
    lua_getfield(L, index, "warns");
    job->heap.warns = lua_toboolean(L, -1);
    if (lua_getfield(L, index, "collector") == LUA_TTABLE)
        library_set_collector(L, job);
    lua_pop(L, 3);
}
