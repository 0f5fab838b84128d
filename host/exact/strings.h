/*
 * Garbage strings are freed without a collection of garbage.
 *
 * How many short strings there are is not the same in each run of a script, since one that is there
 * already is not made again, and the host makes some too. So they cannot decide when the collector
 * runs (collections.h). But which of them are alive, and when the others are freed, no script can
 * see: a string has no finalizer, and does not go out of weak tables. So they are freed by
 * themselves, as often as need be: each that no object refers to, garbage or not, nor a stack. A
 * removed key of a table is referred to: whether it is dead decides where it goes when it comes
 * back. Long strings, which are counted, are left to the collector.
 *
 * It takes two walks over all objects: less than a collection.
 */
#ifndef CKPTLUA_EXACT_STRINGS_H
#define CKPTLUA_EXACT_STRINGS_H

#include <lua.h>

/* From a hook, or a C function that a script has called; the structures of Lua being known. Returns
 * 0, and does nothing, where the collector has something under way. */
int strings_sweep(lua_State *L);

/* Lua remembers by their addresses the last C strings that it has made strings of. Whether a long
 * one is remembered, or is made and counted once more, depends on what else has happened, and on
 * addresses: from now on none is. */
void strings_forget(lua_State *L);

#endif
