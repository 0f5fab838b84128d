/*
 * `next` and `pairs` give the keys of a table in the order that they had when it was saved. In a
 * new process Lua itself would often give another one: it depends on the history of the table, and
 * for keys that are objects on their addresses. A table of which that is so has a record: its keys
 * in the order of the save. Those of them that are still there come first, then those added since,
 * in Lua's order.
 */
#ifndef CKPTLUA_EXACT_ORDER_H
#define CKPTLUA_EXACT_ORDER_H

#include "exact/exact.h"

/* Replaces next and pairs. */
void order_open(lua_State *L, struct exact *exact);

/* For a walker (value/walker.h) whose context is the struct exact: lua_next in this order. And
 * whether the table has a record. */
int order_walk(lua_State *L, void *context, int table);
int order_is_other(lua_State *L, void *context, int table);

/* Of code_reader: the table at index had the keys of the list at `keys`, in that order. */
void order_keep(lua_State *L, void *context, int table, int keys);

/* A loop over the table at index goes on from `key`, which is not in it any more: `successor`, or
 * the end if that is nil, comes next. Indices of the stack. */
void order_resume(lua_State *L, struct exact *exact, int table, int key, int successor);

/* Whether the value at index is the function `next`; and pushes what follows the key on top in the
 * table at index, or nil. Pops the key. */
int order_is_next(lua_State *L, int index);
void order_push_next(lua_State *L, struct exact *exact, int table);

#endif
