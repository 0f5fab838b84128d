/*
 * The journal: what happened to files since the last save that a continue from there must know.
 *
 *     append LENGTH PATH     the file, which the snapshot does not name, was that long when the job
 *                            opened it; -1: it was not there
 *     rewrite PATH           the bytes the snapshot counts on are gone
 *
 * Each line ends in a newline; in a path a newline is \n and a backslash is \\. Lines that are
 * something else are passed over.
 */
#ifndef CKPTLUA_JOB_FILEJOURNAL_H
#define CKPTLUA_JOB_FILEJOURNAL_H

#include <stdint.h>

#include <lua.h>

struct file;

/* Before the file loses the bytes that a snapshot counts on. */
void filejournal_rewrite(lua_State *L, struct file *file);

/* Before a file of that length (-1: none) grows. */
void filejournal_grow(lua_State *L, struct file *file, int64_t length);

/* Pushes lines "append" for all that the description at index, of files_push, has in its `before`:
 * for a continue from an older snapshot. */
void filejournal_push_before(lua_State *L, int index);

/* Drops what came before the last files_push, and has the rest kept. */
void filejournal_saved(lua_State *L);

/* Pushes two tables: path -> 0 of the files rewritten, path -> length of those appended to. */
void filejournal_read(lua_State *L, const char *text);

#endif
