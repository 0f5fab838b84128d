/*
 * load, loadfile, dofile, require and the searcher of modules written in Lua: as the stock ones,
 * but they keep the texts (code.h), and modules and files can be captured while they run.
 */
#ifndef CKPTLUA_EXACT_LOADING_H
#define CKPTLUA_EXACT_LOADING_H

#include "exact/exact.h"

/* If a chunk came from a file that can be read and has another text now, raises which line is the
 * first that differs. */
void loading_check(lua_State *L, const char *name, const char *text, size_t size);

/* The text without what luaL_loadfilex leaves out at the start of a file: a mark of UTF-8, and a
 * first line that begins with '#', whose end stays. */
const char *loading_skip(const char *text, size_t *size);

/* Pushes what is in the file that a chunk of that name came from, as far as about `most` bytes: its
 * text, without what luaL_loadfilex leaves out at the start; or returns NULL with nothing pushed.
 * The name is a snapshot's: a device or a pipe, which would be read without an end, is none. */
const char *loading_push_known(lua_State *L, const char *name, size_t most, size_t *size);

/* Of code_reader: loads the module, as `require` would, and once. */
void loading_native(lua_State *L, void *context, const char *module, const char *field);

/* Around the compiler: what it makes beside objects is the host's own, as it is in a process that
 * compiles the text when it goes on from a snapshot. The text counts in its place. */
int loading_begin(lua_State *L, const struct exact *exact);
void loading_end(const struct exact *exact, int before, size_t size);

/* code_add, whose closure is the host's own too. */
void loading_add(lua_State *L, struct exact *exact, const char *name, const char *text,
                 size_t size);

/* Replaces them. */
void loading_open(lua_State *L, struct exact *exact);

#endif
