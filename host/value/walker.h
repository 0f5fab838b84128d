/*
 * How the entries of a table are gone through when it is saved. The one here uses Lua's public API
 * alone; it calls lua_next and nothing else, since asking for a length would move the place where
 * the length operator starts its search in a table with holes.
 */
#ifndef CKPTLUA_VALUE_WALKER_H
#define CKPTLUA_VALUE_WALKER_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

struct walker {
    /* As lua_next: pops a key, pushes the next one and its value, or returns 0. */
    int (*next)(lua_State *L, void *context, int table);
    void *context;
    /* Looks at tables of the base environment, which have numbers, at no cost. remember: the table
     * at index is as it was at the start; is_same: and it is so still, for certain. Both or neither
     * NULL. */
    int (*is_same)(void *context, size_t number);
    void (*remember)(lua_State *L, void *context, int table, size_t number);
    /* Whether `next` gives the entries of the table at index in another order than lua_next. NULL:
     * never. */
    int (*is_other)(lua_State *L, void *context, int table);
};

extern const struct walker walker_public;

/* The length of the sequence with which the entries begin: keys 1, 2, ... in this order, holes
 * included, the last value not nil; and the number of the other entries. May raise. */
void walker_count(lua_State *L, const struct walker *walker, int table, uint32_t *sequence,
                  uint32_t *others);

#endif
