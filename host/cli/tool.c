#include "cli/tool.h"

#include <stdio.h>
#include <string.h>

#include <lualib.h>

#include "cli/embedded.h"
#include "cli/message.h"
#include "cli/options.h"

struct tool_call {
    const struct tool *tool;
    tool_push_function *push;
    const void *context;
    int code;
};

struct tool_words {
    int argc; /* words that are no options */
    char **argv;
    int json, help; /* which options were given */
};

static int tool_load(lua_State *L)
{
    ckptlua_load(L, luaL_checkstring(L, 1));
    return 1;
}

static int tool_load_header(lua_State *L)
{
    ckptlua_load_header(L, luaL_checkstring(L, 1));
    return 1;
}

/* describe(value) -> what the stand-in stands for, or nil */
static int tool_describe(lua_State *L)
{
    luaL_checkany(L, 1);
    if (!ckptlua_describe(L, 1))
        lua_pushnil(L);
    return 1;
}

/* for each embedded file: package.preload[name] = its chunk */
static void tool_preload(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
    for (const struct embedded_file *file = cli_embedded; file->name != NULL; file++) {
        char chunk[64];
        snprintf(chunk, sizeof chunk, "=%s", file->name);
        if (luaL_loadbufferx(L, file->text, file->size, chunk, "t") != LUA_OK)
            lua_error(L);
        lua_setfield(L, -2, file->name);
    }
    lua_pop(L, 1);
}

/* require(name).run */
static void tool_push_run(lua_State *L, const char *name)
{
    lua_getglobal(L, "require");
    lua_pushstring(L, name);
    lua_call(L, 1, 1);
    lua_getfield(L, -1, "run");
}

static void tool_push_host(lua_State *L, const struct tool *tool)
{
    static const luaL_Reg common[] = {{"load", tool_load},
                                      {"load_header", tool_load_header},
                                      {"describe", tool_describe},
                                      {NULL, NULL}};
    luaL_newlib(L, common);
    if (tool->functions != NULL)
        luaL_setfuncs(L, tool->functions, 0);
}

/* run(host, what is pushed ...) */
static int tool_run_protected(lua_State *L)
{
    const struct tool_call *call = lua_touserdata(L, 1);
    luaL_openlibs(L);
    tool_preload(L);
    tool_push_run(L, call->tool->name);
    tool_push_host(L, call->tool);
    lua_call(L, call->push(L, call->context) + 1, 0);
    return 0;
}

/* report(call, raised): a table has a code and a message (or none, where all has been told),
 * anything else is a failure. */
static int tool_report(lua_State *L)
{
    struct tool_call *call = lua_touserdata(L, 1);
    if (lua_istable(L, 2)) {
        lua_getfield(L, 2, "code");
        lua_getfield(L, 2, "message");
        call->code = (int)lua_tointeger(L, -2);
        if (lua_isnil(L, -1))
            return 0;
    }
    message_take(NULL, luaL_tolstring(L, -1, NULL));
    return 0;
}

static void tool_run_in(lua_State *L, struct tool_call *call)
{
    lua_pushcfunction(L, tool_run_protected);
    lua_pushlightuserdata(L, call);
    call->code = CKPTLUA_OK;
    if (lua_pcall(L, 1, 0, 0) == LUA_OK)
        return;
    call->code = CKPTLUA_FAILED;
    lua_pushcfunction(L, tool_report);
    lua_pushlightuserdata(L, call);
    lua_rotate(L, -3, 2);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        message_print("out of memory");
}

int tool_run(const struct tool *tool, tool_push_function *push, const void *context)
{
    struct tool_call call = {tool, push, context, CKPTLUA_OK};
    lua_State *L = luaL_newstate();
    if (L == NULL) {
        message_print("out of memory");
        return CKPTLUA_FAILED;
    }
    tool_run_in(L, &call);
    lua_close(L);
    return call.code;
}

static int tool_take_option(void *context, const char *name, const char *value)
{
    struct tool_words *words = context;
    (void)value;
    if (strcmp(name, "json") == 0)
        words->json = 1;
    else
        words->help = 1;
    return CKPTLUA_OK;
}

/* options, word, ... */
static int tool_push_words(lua_State *L, const void *context)
{
    const struct tool_words *words = context;
    lua_newtable(L);
    lua_pushboolean(L, words->json);
    lua_setfield(L, -2, "json");
    luaL_checkstack(L, words->argc, "too many arguments");
    for (int i = 0; i < words->argc; i++)
        lua_pushstring(L, words->argv[i]);
    return words->argc + 1;
}

int tool_main(const struct tool *tool, int argc, char *argv[])
{
    struct tool_words words = {.argc = 0};
    int next;
    int code = options_read(argc, argv, tool->options, tool_take_option, &words, &next);
    if (code != CKPTLUA_OK)
        return code;
    if (words.help) {
        printf("Usage: %s\n", tool->usage);
        return CKPTLUA_OK;
    }
    words.argc = argc - next;
    words.argv = argv + next;
    return tool_run(tool, tool_push_words, &words);
}
