/*
 * The base environment: every function, table and userdata that can be reached from the globals
 * before the script starts has a name, such as "math.sin", and goes into a snapshot by it.
 *
 * Names come from a walk in breadth, keys sorted: the shortest path wins, then the alphabet; hash
 * order decides nothing. What the script changes in a base table, its globals above all, is found
 * by comparing with a copy made at the walk.
 */
#ifndef CKPTLUA_VALUE_NAMES_H
#define CKPTLUA_VALUE_NAMES_H

#include <lua.h>

#include "value/idmap.h"

/* Names everything; once, before the script starts. */
void names_capture(lua_State *L);

/* Names the object on top of the stack, if it has no name yet. Pops nothing. */
void names_add(lua_State *L, const char *name);

/* Pushes the table object -> name. It must not be changed. */
void names_push_all(lua_State *L);

/* The address that an object is known by in maps of objects. A userdata's own may be that of an
 * empty block at its end, which is where another object begins; the byte before is in its header.
 */
const void *names_address(lua_State *L, int index);

/* Pushes a userdata that holds a map of the addresses of all objects that have a name, but for
 * null. It must not be changed; it is the same one until another object is named. */
const struct idmap *names_push_map(lua_State *L);

/* Pushes the object of that name, or nil. */
void names_push_object(lua_State *L, const char *name);

/* Pushes the copy, made at the walk, of the base table of that name, or nil. */
void names_push_copy(lua_State *L, const char *name);

/* Pushes the sorted list of the names of all base tables. It must not be changed. */
void names_push_tables(lua_State *L);

/* Whether the value on top of the stack, found under the key below it in a base table, is other
 * than in the copy at index. */
int names_is_changed(lua_State *L, int copy);

#endif
