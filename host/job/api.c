/*
 * The public API: thin, and the only place with exported names.
 */
#include "ckptlua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "exact/collections.h"
#include "job/header.h"
#include "job/host.h"
#include "job/load.h"
#include "job/run.h"
#include "job/save.h"
#include "job/say.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"

const char *ckptlua_version(void)
{
    return CKPTLUA_VERSION;
}

ckptlua *ckptlua_new(void)
{
    struct error error;
    ckptlua *host = calloc(1, sizeof *host);
    if (host == NULL)
        return NULL;
    if (schedule_init(&host->schedule, &error) != 0) {
        free(host);
        return NULL;
    }
    options_init(&host->options);
    pthread_mutex_init(&host->speak, NULL);
    return host;
}

void ckptlua_free(ckptlua *host)
{
    if (host == NULL)
        return;
    schedule_close(&host->schedule);
    options_free(&host->options);
    pthread_mutex_destroy(&host->speak);
    free(host);
}

const ckptlua_option *ckptlua_options(void)
{
    return options_table;
}

static int api_usage(ckptlua *host, int status, const struct error *error)
{
    if (status == 0)
        return CKPTLUA_OK;
    snprintf(host->message, sizeof host->message, "%s", error->message);
    return CKPTLUA_USAGE;
}

int ckptlua_set(ckptlua *host, const char *name, const char *value)
{
    struct error error;
    return api_usage(host, options_set(&host->options, OPTIONS_COMMAND, name, value, &error),
                     &error);
}

int ckptlua_set_from_environment(ckptlua *host)
{
    struct error error;
    return api_usage(host, options_set_from_environment(&host->options, &error), &error);
}

int ckptlua_run(ckptlua *host, const char *script, int argc, char *const argv[])
{
    if (host->has_run) {
        say_failure(host, "a host can run one job only; make another one");
        return CKPTLUA_USAGE;
    }
    host->has_run = 1;
    if (host->options.fresh && host->options.from != NULL) {
        say_failure(host, "--fresh and --from exclude each other");
        return CKPTLUA_USAGE;
    }
    return run_job(host, script, argc, argv);
}

const char *ckptlua_message(const ckptlua *host)
{
    return host->message;
}

void ckptlua_on_message(ckptlua *host, ckptlua_message_function *function, void *context)
{
    host->on_message = function;
    host->message_context = context;
}

void ckptlua_on_open(ckptlua *host, ckptlua_open_function *function, void *context)
{
    host->on_open = function;
    host->open_context = context;
}

void ckptlua_on_exit(ckptlua *host, ckptlua_exit_function *function, void *context)
{
    host->on_exit = function;
    host->exit_context = context;
}

void ckptlua_handle_signals(ckptlua *host, int on)
{
    host->handle_signals = on;
}

void ckptlua_request(ckptlua *host, int then)
{
    schedule_request(&host->schedule, then == CKPTLUA_THEN_EXIT ? SCHEDULE_EXIT : SCHEDULE_SAVE, 0);
}

/* ---------------------------------------------------------------- values of one's own */

static const char api_opened; /* registry: true where the value layer has been opened */

/* For states that are no job's. */
static void api_open(lua_State *L)
{
    luaL_checkstack(L, 8, NULL);
    if (host_job(L) != NULL)
        return;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &api_opened) == LUA_TNIL) {
        registry_open(L);
        late_open(L);
        names_capture(L);
        lua_pushboolean(L, 1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &api_opened);
    }
    lua_pop(L, 1);
}

_Static_assert(sizeof(struct userdata_type) == sizeof(ckptlua_type) &&
                   offsetof(struct userdata_type, loaded) == offsetof(ckptlua_type, loaded) &&
                   sizeof(struct userdata_block) == sizeof(ckptlua_block) &&
                   offsetof(struct userdata_block, width) == offsetof(ckptlua_block, width),
               "ckptlua_type is the public face of struct userdata_type");

void ckptlua_register(lua_State *L, const ckptlua_type *type)
{
    api_open(L);
    /* Copied into the state: the two structures are the same but in name. */
    struct userdata_type *copy = lua_newuserdatauv(L, sizeof *copy, 0);
    memcpy(copy, type, sizeof *copy);
    registry_add_type(L, copy);
    lua_rawsetp(L, LUA_REGISTRYINDEX, type);
}

void ckptlua_name(lua_State *L, const char *name)
{
    api_open(L);
    names_add(L, name);
}

/* Lua's own collector is told by its debt. */
void ckptlua_allocated(lua_State *L, ptrdiff_t bytes)
{
    struct job *job = host_job(L);
    if (job != NULL)
        collections_allocated(L, &job->exact, bytes);
}

/* ---------------------------------------------------------------- snapshots without a job */

void ckptlua_save(lua_State *L, const char *file, int index)
{
    index = lua_absindex(L, index);
    api_open(L);
    save_variables(L, host_job(L), file, index);
}

void ckptlua_load(lua_State *L, const char *file)
{
    api_open(L);
    load_variables(L, file);
}

int ckptlua_describe(lua_State *L, int index)
{
    api_open(L);
    return late_push_text(L, index);
}

void ckptlua_load_header(lua_State *L, const char *file)
{
    load_header(L, file);
}
