/*
 * Which tables have a finalizer (__gc) that is still to run, and in which order they were marked
 * for it: at the end of the script, and when several have become garbage, the last one goes first.
 * And of which userdata it has run: a weak key can still be presented by its table then.
 */
#ifndef CKPTLUA_EXACT_FINALIZERS_H
#define CKPTLUA_EXACT_FINALIZERS_H

#include "exact/exact.h"

/* What has a finalizer by now belongs to the libraries. */
void finalizers_open(lua_State *L, struct exact *exact);

/* Of code_writer: pushes the list of the others, the first one marked first. Those come last that
 * the collector has found to be garbage already; others may be garbage as well. */
void finalizers_push(lua_State *L, void *context);

/* Of code_writer: whether the userdata at index has a finalizer, and it has run. */
int finalizers_have_run(lua_State *L, void *context, int index);

/* Of code_reader: the finalizer of the userdata on top, which is new, is not to run. */
void finalizers_forget(lua_State *L, void *context);

/* Before the tables of the list at index are marked for their finalizers, in that order: Lua looks
 * for each of them in the list of all objects, at whose beginning they are then. */
void finalizers_gather(lua_State *L, int list);

#endif
