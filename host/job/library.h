/*
 * What else Lua's libraries and the C library keep outside of Lua's values, and a script can
 * change: the locale, whether warnings are on, and how the collector works. A script that starts
 * again sets these again; one that goes on by exact resume does not.
 */
#ifndef CKPTLUA_JOB_LIBRARY_H
#define CKPTLUA_JOB_LIBRARY_H

#include "job/host.h"

/* Replaces collectgarbage, to know what it is told, and debug.getregistry, to warn. */
void library_open(lua_State *L);

/* Pushes it as a table, and takes it from the table at index (raises where it cannot be had here).
 * How the collector works is put in force by library_start. */
void library_push(lua_State *L, struct job *job);
void library_set(lua_State *L, struct job *job, int index);

/* The script is about to run: the collector works in the way that it is to. */
void library_start(struct job *job);

#endif
