/*
 * What a script defines again whenever it starts, so that a snapshot of globals needs its name
 * only: modules that were loaded, their functions, and global functions.
 *
 * A function is taken for a global function NAME if it is the value of that global, and the line
 * of source where it begins has NAME in it. Others (made by a closure factory, say) may hold state
 * that no restart brings back.
 */
#ifndef CKPTLUA_VALUE_AGAIN_H
#define CKPTLUA_VALUE_AGAIN_H

#include <lua.h>

/* Pushes line `line` of a chunk, or nil if it is not known. `source` is as in lua_Debug. */
typedef void again_push_line(void *context, lua_State *L, const char *source, int line);

/* Pushes a new table object -> description (see late.h). */
void again_collect(lua_State *L, again_push_line *push_line, void *context);

/* The same for C functions of modules only: an exact job has all else, and does not start again. */
void again_collect_native(lua_State *L);

/* Whether the text has the word, not as a part of a longer name. */
int again_has_word(const char *text, const char *word);

#endif
