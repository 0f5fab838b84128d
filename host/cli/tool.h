/*
 * Commands that are written in Lua: an embedded file returns a table whose function `run` is called
 * as run(host, options, word, ...), with
 *
 *     host      functions for it: load(file), load_header(file), and those of the command
 *     options   { json = true } where --json was given
 *
 * It raises { code = exit code, message = text } to fail.
 */
#ifndef CKPTLUA_CLI_TOOL_H
#define CKPTLUA_CLI_TOOL_H

#include <lauxlib.h>

#include "include/ckptlua.h"

struct tool {
    const char *name;              /* of the command, and of its embedded file */
    const ckptlua_option *options; /* flags, ended by a NULL name */
    const luaL_Reg *functions;     /* ended by a NULL name; may be NULL */
    const char *usage;             /* one line */
};

/* Runs it with argv[1] and on, argv[0] being its name. Returns an exit code after a message. */
int tool_main(const struct tool *tool, int argc, char *argv[]);

/* Pushes what `run` is given behind host, and returns how many values. May raise. */
typedef int tool_push_function(lua_State *L, const void *context);

/* Runs an embedded file with arguments of one's own. Returns an exit code after a message. */
int tool_run(const struct tool *tool, tool_push_function *push, const void *context);

#endif
