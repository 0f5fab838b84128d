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

/* Entries in the order of a walk. They begin with a sequence: keys 1, 2, ... in this order, holes
 * included, the last value not nil. */
struct walker_counts {
    lua_Integer entries;
    lua_Integer used; /* of them in the sequence */
    lua_Integer last; /* key of the sequence */
    int is_over;      /* the sequence */
};

/* The next entry has a key that is an integer. As in Lua's own array part at least half of the
 * places are used, so that {1, 2, nil, 4} keeps its length. */
static inline void walker_add_integer(struct walker_counts *counts, lua_Integer key)
{
    counts->entries++;
    if (!counts->is_over && key > counts->last && key <= 2 * (counts->used + 1)) {
        counts->last = key;
        counts->used++;
    } else {
        counts->is_over = 1;
    }
}

/* It has another key. */
static inline void walker_add_other(struct walker_counts *counts)
{
    counts->entries++;
    counts->is_over = 1;
}

/* Counts all entries of a table. */
void walker_count(lua_State *L, const struct walker *walker, int table,
                  struct walker_counts *counts);

/* The length of the sequence, and the number of the other entries. Raises where they are too many.
 */
void walker_sizes(lua_State *L, const struct walker_counts *counts, uint32_t *sequence,
                  uint32_t *others);

#endif
