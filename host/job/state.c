#include "job/state.h"

#include <stdint.h>
#include <stdio.h>

#include <lauxlib.h>
#include <lualib.h>

#include "exact/closures.h"
#include "exact/loading.h"
#include "exact/nodes.h"
#include "job/bundled.h"
#include "job/embedded.h"
#include "job/exactly.h"
#include "job/journal.h"
#include "job/library.h"
#include "job/module.h"
#include "job/random.h"
#include "job/say.h"
#include "job/terminal.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"

/* Places of each of the registry's arrays, more than the libraries fill. */
enum { STATE_REGISTRY = 64 };

/* (code, name) of an embedded module: loads it as `require` expects of a loader. */
static int state_load_embedded(lua_State *L)
{
    const struct embedded_file *file = lua_touserdata(L, lua_upvalueindex(1));
    const char *name = lua_pushfstring(L, "=%s.lua", file->name);
    struct exact *exact = &host_job(L)->exact;
    int own = loading_begin(L, exact);
    int status = luaL_loadbufferx(L, file->text, file->size, name, "t");
    loading_end(exact, own, file->size);
    if (status != LUA_OK)
        return lua_error(L);
    if (exact->keeps_texts != EXACT_NO_TEXTS)
        loading_add(L, exact, name, file->text, file->size);
    lua_pushvalue(L, 1);
    lua_call(L, 1, 1);
    return 1;
}

static void state_preload(lua_State *L)
{
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const struct embedded_file *file = embedded_files; file->name != NULL; file++) {
        lua_pushlightuserdata(L, (void *)(uintptr_t)file);
        lua_pushcclosure(L, state_load_embedded, 1);
        lua_setfield(L, -2, file->name);
    }
    lua_pop(L, 1);
}

static void state_warn(void *context, const char *text)
{
    say_note(context, "%s", text);
}

/* The first one counts. */
static void state_note_failure(void *context, const char *text)
{
    struct job *job = context;
    if (*job->failure == '\0')
        snprintf(job->failure, sizeof job->failure, "%s", text);
}

/* An open file is known by its number in the job's list of files, which goes into the job's own
 * snapshots only. */
static void state_save_handle(lua_State *L, int index)
{
    if (host_job(L)->apart)
        luaL_error(L, "an open file can be kept in the job's own snapshot only");
    files_save_handle(L, index);
}

static void state_load_handle(lua_State *L, const char *data, size_t size)
{
    if (host_job(L)->apart)
        late_push_foreign(L, LUA_FILEHANDLE);
    else
        files_load_handle(L, data, size);
}

/* The registry grows by what the host puts into it, which is not to count: it gets arrays that are
 * the host's own, as those are that come after them. */
static void state_own_registry(lua_State *L)
{
    const struct exact *exact = &host_job(L)->exact;
    if (!exact->is_checked)
        return;
    int own = exact_own(exact, ZONE_HOSTS), registry = lua_gettop(L) + 1;
    lua_pushvalue(L, LUA_REGISTRYINDEX);
    lua_createtable(L, STATE_REGISTRY, STATE_REGISTRY);
    for (lua_pushnil(L); lua_next(L, registry) != 0;) {
        lua_pushvalue(L, -2);
        lua_insert(L, -2);
        lua_rawset(L, registry + 1);
    }
    nodes_reader.exchange(L, registry, registry + 1);
    lua_settop(L, registry - 1);
    exact_own(exact, own);
}

/* Tables that the host keeps for itself. They grow otherwise in a job that continues, so they are
 * not to count. */
static void state_open_registries(lua_State *L, const struct job *job)
{
    static const struct userdata_type file_type = {
        .name = LUA_FILEHANDLE, .save = state_save_handle, .load = state_load_handle};
    int own = exact_own(&job->exact, ZONE_HOSTS);
    registry_open(L);
    registry_add_type(L, &file_type);
    late_open(L);
    exact_own(&job->exact, own);
}

static void state_capture_names(lua_State *L, struct job *job)
{
    int own = exact_own(&job->exact, ZONE_HOSTS);
    names_capture(L);
    exact_name(L, &job->exact);
    exact_own(&job->exact, own);
}

/* (struct job *): the base environment of the script. */
static int state_open(lua_State *L)
{
    struct job *job = lua_touserdata(L, 1);
    luaL_openlibs(L);
    host_set_job(L, job);
    exactly_open(L, job);
    lua_pushvalue(L, 2);
    exactly_add_script(L, job);
    lua_pop(L, 1);
    job->files =
        (struct files_host){state_warn, journal_keep, state_note_failure, job, &job->heap.zone};
    files_open(L, &job->files);
    random_open(L);
    library_open(L);
    module_open(L, job);
    terminal_open(L);
    state_preload(L);
    state_open_registries(L, job);
    bundled_open(L);
    script_set_arguments(&job->script, L);
    if (job->host->on_open != NULL)
        job->host->on_open(job->host->open_context, L);
    closures_open(L);
    state_capture_names(L, job);
    state_own_registry(L);
    return 0;
}

int state_make(struct job *job)
{
    struct error error;
    job->L = heap_new_state(&job->heap, exactly_hash_seed(job->seed));
    if (job->L == NULL) {
        say_failure(job->host, "not enough memory");
        return CKPTLUA_FAILED;
    }
    if (job->heap.zone.where != ZONE_NOWHERE)
        job->exact.addresses.zone = &job->heap.zone;
    lua_gc(job->L, LUA_GCSTOP); /* until the script runs: what is put back is all new */
    job->exact.keeps_layout = job->exact.keeps_layout && job->heap.seeded;
    job->exact.zone = &job->heap.zone;
    if (script_load(&job->script, job->L, &error) != 0) {
        say_failure(job->host, "%s", error.message);
        return CKPTLUA_USAGE;
    }
    lua_pushcfunction(job->L, state_open);
    lua_pushlightuserdata(job->L, job);
    lua_pushvalue(job->L, 1);
    if (lua_pcall(job->L, 2, 0, 0) != LUA_OK) {
        say_failure(job->host, "%s", luaL_tolstring(job->L, -1, NULL));
        return CKPTLUA_FAILED;
    }
    exact_own(&job->exact, ZONE_HOSTS); /* but while the script runs */
    return CKPTLUA_OK;
}
