#include "job/config.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/address.h"
#include "job/point.h"

static const char config_key; /* registry: {name -> text} */

static int config_is_refused(const char *name)
{
    static const char *const refused[] = {"snapshot", "resume", "fresh",
                                          "from",     "seed",   "deterministic"};
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++)
        if (strcmp(name, refused[i]) == 0)
            return 1;
    return 0;
}

static const ckptlua_option *config_option(const char *name)
{
    const ckptlua_option *option = options_table;
    while (option->name != NULL && strcmp(option->name, name) != 0)
        option++;
    return option->name == NULL ? NULL : option;
}

/* registry.config_key[name] = the text on top. What on-signal is given adds to what it was given
 * before. */
static void config_remember(lua_State *L, const char *name)
{
    int text = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &config_key);
    if (strcmp(name, "on-signal") == 0 && lua_getfield(L, text + 1, name) == LUA_TSTRING) {
        const char *before = lua_tostring(L, -1), *now = lua_tostring(L, text);
        if (strstr(before, now) == NULL)
            lua_pushfstring(L, "%s,%s", before, now);
    } else {
        lua_pushvalue(L, text);
    }
    lua_setfield(L, text + 1, name);
    lua_settop(L, text);
}

/* One option; its name, as the script writes it, and its value are on top. */
static void config_set_one(lua_State *L, struct job *job)
{
    struct error error;
    if (lua_type(L, -2) != LUA_TSTRING)
        luaL_error(L, "ckpt.config: an option's name must be a string");
    /* An identifier has no dash: exit_after is exit-after. */
    const char *name = luaL_gsub(L, lua_tostring(L, -2), "_", "-");
    const ckptlua_option *option = config_option(name);
    if (option == NULL)
        luaL_error(L, "ckpt.config: unknown option '%s'", name);
    if (config_is_refused(name))
        luaL_error(L, "ckpt.config: '%s' can be set on the command line only", name);
    if (option->argument == NULL) {
        if (!lua_isboolean(L, -2))
            luaL_error(L, "ckpt.config: '%s' must be true or false", name);
        if (!lua_toboolean(L, -2)) {
            lua_pop(L, 1);
            return;
        }
    } else if (!lua_isstring(L, -2)) {
        luaL_error(L, "ckpt.config: '%s' must be a string or a number", name);
    }
    if (option->argument == NULL)
        lua_pushboolean(L, 1);
    else
        luaL_tolstring(L, -2, NULL);
    const char *value = option->argument == NULL ? NULL : lua_tostring(L, -1);
    if (options_set(&job->host->options, OPTIONS_SCRIPT, name, value, &error) != 0)
        luaL_error(L, "ckpt.config: %s", error.message);
    int own = exact_own(&job->exact, ZONE_HOSTS);
    config_remember(L, name);
    exact_own(&job->exact, own);
    lua_pop(L, 2);
}

void config_set(lua_State *L, struct job *job, int index)
{
    luaL_checkstack(L, 12, NULL);
    index = lua_absindex(L, index);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &config_key) == LUA_TNIL) {
        int own = exact_own(&job->exact, ZONE_HOSTS);
        lua_newtable(L);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &config_key);
        exact_own(&job->exact, own);
    }
    lua_pop(L, 1);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        config_set_one(L, job);
        lua_pop(L, 2);
    }
}

void config_apply(lua_State *L, struct job *job)
{
    const struct options *options = &job->host->options;
    struct error error;
    if (options->output != NULL && stdio_set_output(job->stdio, options->output, 0, &error) != 0)
        luaL_error(L, "ckpt.config: %s", error.message);
    if (job->signals.installed)
        signals_set_actions(options);
    if (options->exit_after > 0)
        schedule_exit_at(job->schedule, job->started + options->exit_after);
    point_begin(job);
}

void config_push(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &config_key) == LUA_TNIL) {
        lua_pop(L, 1);
        lua_newtable(L);
    }
}
