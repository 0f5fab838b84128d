/*
 * Tables from inside, for value/layout.h: read out of, and written into, the structures of vm.h.
 *
 * Source: ltable.c of Lua 5.4. The nodes of a table are one array. A key belongs into its main
 * position; where that is taken, it goes into a free node, searched from the end downwards (from
 * "last free"), and the nodes of one main position are chained. All of it is kept, so that the next
 * key of the continued script goes where it would have gone.
 */
#ifndef CKPTLUA_EXACT_NODES_H
#define CKPTLUA_EXACT_NODES_H

#include <lua.h>

#include "value/layout.h"

extern const struct layout_writer nodes_writer;
extern const struct layout_reader nodes_reader;

/* Whether the table at index has, or had, the key on top, so that `next` goes on from it. */
int nodes_know(lua_State *L, int table);

#endif
