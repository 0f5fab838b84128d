/*
 * The job's script and its arguments: the text, and what identifies the job.
 */
#ifndef CKPTLUA_JOB_SCRIPT_H
#define CKPTLUA_JOB_SCRIPT_H

#include <stddef.h>

#include <lua.h>

#include "base/error.h"

struct script {
    const char *path; /* as given */
    const char *name; /* its last part: with the arguments, what a job is known by */
    char *text;
    size_t size;
    char hash[33]; /* XXH3-128 of the text in hexadecimal */
    int argc;
    char *const *argv;
};

/* Reads the text. Returns 0, or a negative code with the message for the user. */
int script_read(struct script *script, const char *path, int argc, char *const argv[],
                struct error *error);
void script_free(struct script *script);

/* Compiles it and pushes the function. Returns 0, or ERROR_INVALID with Lua's message. */
int script_load(const struct script *script, lua_State *L, struct error *error);

/* Sets the global `arg` as lua does. May raise. */
void script_set_arguments(const struct script *script, lua_State *L);

/* "./<name without .lua>.ckpt", for free(); NULL when out of memory. */
char *script_default_snapshot(const struct script *script);

/* Pushes line `line` of the chunk `source` (as in lua_Debug), or nil: the script's own text, or the
 * file that "@file" names. May raise. */
void script_push_line(const struct script *script, lua_State *L, const char *source, int line);

/* The first line, from 1, in which the script is other than that text; 0: it is the same. */
int script_difference(const struct script *script, const char *text, size_t size);

#endif
