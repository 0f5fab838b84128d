/*
 * Values that are not there yet when a snapshot is read, since the script makes them again when it
 * starts: its functions, modules, classes and transient values. A stand-in takes the place of each,
 * and every place in a table that refers to it is remembered. When the value appears, the places
 * get it. Until then a stand-in for a function forwards calls, and the others raise an error that
 * says what is missing. A stand-in that is saved again goes into the snapshot as what it stands
 * for.
 *
 * Descriptions: "function:NAME", "function:MODULE:FIELD", "function:LIBRARY.FIELD", "module:NAME",
 * "class:NAME", "transient:NAME".
 */
#ifndef CKPTLUA_VALUE_LATE_H
#define CKPTLUA_VALUE_LATE_H

#include <lua.h>

/* Once per state. */
void late_open(lua_State *L);

/* Pushes the value described, if it is there already, and returns 1; else pushes its stand-in and
 * returns 0. Raises where the description makes no sense. */
int late_push(lua_State *L, const char *description);

/* The same for a metatable. */
int late_push_metatable(lua_State *L, const char *description);

/* Pops the data on top, pushes a stand-in for the object that the loader of class `name` will make
 * of it. */
void late_push_object(lua_State *L, const char *name);

/* Pushes a stand-in for a userdata of a type that this state does not know: to be looked at, and
 * never to be made anything of. */
void late_push_foreign(lua_State *L, const char *type);

/* Whether what is described is such a value, or one of the next function. */
int late_is_seen(const char *description);

/* The same for something else of an exact job: "Lua function", "coroutine" or "iterator", and its
 * name.
 */
void late_push_seen(lua_State *L, const char *kind, const char *name);

/* If the value at index is a stand-in of any kind, pushes what it stands for, as text ("function
 * f", "object of class Account", "userdata FILE*"), and returns 1. */
int late_push_text(lua_State *L, int index);

/* The stand-in on top of the stack has become the value of table[key], or a key of table (key is
 * the stand-in itself then); or upvalue number `key` of a function. Pops nothing. */
void late_place(lua_State *L, int table, int key);

/* The stand-in metatable on top has become the metatable of table. */
void late_place_metatable(lua_State *L, int table);

/* If the value at index is a stand-in, pushes its description and returns 1. */
int late_describe(lua_State *L, int index);

/* If the value at index stands for an object of a class with a loader, pushes the name of the class
 * and the data and returns 1. */
int late_describe_object(lua_State *L, int index);

/* The value on top is what `description` means: puts it in all places. Pops it. */
void late_resolve(lua_State *L, const char *description);

/* Class `name` has been registered: resolves it, and makes its objects by its loader if it has
 * one. Calls the loader, and may raise its errors. */
void late_resolve_class(lua_State *L, const char *name);

/* Resolves all that is there by now: functions and modules, and objects whose class has a loader.
 */
void late_sweep(lua_State *L);

/* Pushes the table stand-in -> description. It must not be changed. */
void late_push_all(lua_State *L);

#endif
