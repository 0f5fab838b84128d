#include "cli/verify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/message.h"
#include "cli/options.h"
#include "cli/tool.h"
#include "cli/verify_copy.h"
#include "cli/verify_run.h"
#include "cli/verify_scratch.h"
#include "cli/verify_wait.h"

static const char verify_usage[] =
    "Usage: ckptlua verify [options] job.lua [arg ...]\n"
    "Runs the job undisturbed, then again while killing it, and compares.\n"
    "\n"
    "  --kills N      how often, half by SIGKILL, half by SIGTERM (20)\n"
    "  --kill-seed N  the moments of the kills, to replay a proof (random)\n"
    "  --timeout D    how long each of the two runs may take (1h)\n"
    "  --input FILE   copy this and the script, not all of the current folder;\n"
    "                 may be given several times\n"
    "  --keep         leave the scratch directories\n"
    "\n"
    "Options of the job go through, such as --interval and --seed; see ckptlua --help.\n"
    "Exit codes: 0 all is the same, bit for bit; 1 it is not; 2 wrong use.";

static const ckptlua_option verify_own_options[] = {
    {"kills", "N", NULL}, {"kill-seed", "N", NULL}, {"timeout", "D", NULL}, {"input", "FILE", NULL},
    {"keep", NULL, NULL}, {"help", NULL, NULL},     {NULL, NULL, NULL},
};

/* What verify decides itself for the job's processes. */
static const char *const verify_reserved[] = {"snapshot", "output", "fresh", "from", "on-finish"};

/* The same, and what would change what the processes print, in the environment. */
static const char *const verify_variables[] = {
    "CKPTLUA_SNAPSHOT",  "CKPTLUA_OUTPUT",   "CKPTLUA_FRESH", "CKPTLUA_FROM",
    "CKPTLUA_ON_FINISH", "CKPTLUA_PROGRESS", "CKPTLUA_QUIET", "CKPTLUA_VERBOSE"};

struct word {
    const char *name, *value; /* value is NULL for a flag */
    int own;                  /* an option of verify's, not of the job's */
};

struct verify {
    ckptlua *host; /* only to check the job's options */
    struct word *words;
    int count;
    const char *script;
    int argc;
    char **argv;
    int help;
};

static int verify_is_own(const char *name)
{
    for (const ckptlua_option *option = verify_own_options; option->name != NULL; option++)
        if (strcmp(name, option->name) == 0)
            return 1;
    return 0;
}

static int verify_check_option(struct verify *verify, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof verify_reserved / sizeof verify_reserved[0]; i++) {
        if (strcmp(name, verify_reserved[i]) == 0) {
            message_print("--%s: verify decides that itself, in scratch directories; leave it out",
                          name);
            return CKPTLUA_USAGE;
        }
    }
    int code = ckptlua_set(verify->host, name, value);
    if (code != CKPTLUA_OK)
        message_take(NULL, ckptlua_message(verify->host));
    return code;
}

static int verify_take_option(void *context, const char *name, const char *value)
{
    struct verify *verify = context;
    int own = verify_is_own(name);
    if (strcmp(name, "help") == 0)
        verify->help = 1;
    int code = own ? CKPTLUA_OK : verify_check_option(verify, name, value);
    verify->words[verify->count++] = (struct word){name, value, own};
    return code;
}

/* ---------------------------------------------------------------- what Lua is given */

/* t[list][#t[list] + 1] = text, t being the options */
static void verify_append(lua_State *L, int options, const char *list, const char *text)
{
    lua_getfield(L, options, list);
    lua_pushstring(L, text);
    lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
    lua_pop(L, 1);
}

static void verify_push_word(lua_State *L, int options, const struct word *word)
{
    if (strcmp(word->name, "input") == 0) {
        verify_append(L, options, "inputs", word->value);
        return;
    }
    if (!word->own) {
        lua_pushfstring(L, "--%s%s%s", word->name, word->value != NULL ? "=" : "",
                        word->value != NULL ? word->value : "");
        verify_append(L, options, "words", lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_getfield(L, options, word->own ? "own" : "job");
    if (word->value != NULL)
        lua_pushstring(L, word->value);
    else
        lua_pushboolean(L, 1);
    lua_setfield(L, -2, word->name);
    lua_pop(L, 1);
}

/* { own = {name = value}, job = {name = value}, words = {"--name=value", ...} of the job's options,
 * inputs = {...}, script, arguments = {...}, terminal = whether stderr is one } */
static int verify_push(lua_State *L, const void *context)
{
    static const char *const tables[] = {"own", "job", "words", "inputs", "arguments"};
    const struct verify *verify = context;
    luaL_checkstack(L, 8, NULL);
    lua_newtable(L);
    int options = lua_gettop(L);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        lua_newtable(L);
        lua_setfield(L, -2, tables[i]);
    }
    for (int i = 0; i < verify->count; i++)
        verify_push_word(L, options, &verify->words[i]);
    for (int i = 0; i < verify->argc; i++)
        verify_append(L, options, "arguments", verify->argv[i]);
    lua_pushstring(L, verify->script);
    lua_setfield(L, -2, "script");
    lua_pushboolean(L, isatty(STDERR_FILENO));
    lua_setfield(L, -2, "terminal");
    return 1;
}

/* ---------------------------------------------------------------- the command */

static int verify_job(struct verify *verify)
{
    static const luaL_Reg functions[] = {
        {"start", verify_run_start},     {"clock", verify_run_clock},
        {"copy", verify_copy_tree},      {"place", verify_copy_place},
        {"scratch", verify_scratch_new}, {"stamp", verify_scratch_stamp},
        {"list", verify_scratch_list},   {NULL, NULL}};
    static const struct tool tool = {.name = "verify", .functions = functions};
    int code = ckptlua_set_from_environment(verify->host);
    if (code != CKPTLUA_OK) {
        message_take(NULL, ckptlua_message(verify->host));
        return code;
    }
    for (size_t i = 0; i < sizeof verify_variables / sizeof verify_variables[0]; i++)
        unsetenv(verify_variables[i]);
    verify_wait_begin();
    return tool_run(&tool, verify_push, verify);
}

static int verify_with(struct verify *verify, const ckptlua_option *list, int argc, char *argv[])
{
    int next = argc;
    int code = options_read(argc, argv, list, verify_take_option, verify, &next);
    if (code != CKPTLUA_OK)
        return code;
    if (verify->help) {
        puts(verify_usage);
        return CKPTLUA_OK;
    }
    if (next >= argc) {
        message_print("verify needs a script; usage: ckptlua verify [options] job.lua [arg ...]");
        return CKPTLUA_USAGE;
    }
    verify->script = argv[next];
    verify->argc = argc - next - 1;
    verify->argv = argv + next + 1;
    return verify_job(verify);
}

int verify_main(int argc, char *argv[])
{
    struct verify verify = {.host = ckptlua_new()};
    ckptlua_option *list = options_join(verify_own_options);
    int code = CKPTLUA_FAILED;
    verify.words = calloc((size_t)argc, sizeof *verify.words);
    if (verify.host == NULL || list == NULL || verify.words == NULL)
        message_print("out of memory");
    else
        code = verify_with(&verify, list, argc, argv);
    free(verify.words);
    free(list);
    ckptlua_free(verify.host);
    return code;
}
