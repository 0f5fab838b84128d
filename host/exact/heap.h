/*
 * A Lua state with a heap of its own: a zone (zone/zone.h), from which a job also has the addresses
 * of its objects, and a seed for the hashes of strings, from which it has the order of its tables.
 */
#ifndef CKPTLUA_EXACT_HEAP_H
#define CKPTLUA_EXACT_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "zone/zone.h"

struct heap {
    struct zone zone;
    struct heap *owner; /* of the zone: the state's allocator is zone_alloc with that of this one */
    char *state;        /* while the state is made: its first block, */
    size_t state_size;  /* which the seed is written into */
    uint32_t seed;
    int seeded;
    int warns, warning; /* the script has called warn("@on"); a warning has more pieces to come */
};

/* All zeros is a closed heap. */

/* Opens a closed heap, and leaves an open one as it is. plain: all comes from malloc, and nothing
 * has a place. Never fails. */
void heap_open(struct heap *heap, int plain);

/* After lua_close. */
void heap_close(struct heap *heap);

/* As luaL_newstate, with this heap, which is opened if it is not: panics are told on stderr,
 * warnings are off until the script calls warn("@on"). NULL when out of memory. The heap may have
 * had another state, which has been closed: then this one is the same as if it were the first.
 *
 * Strings are hashed with this seed, so that tables have the same order in each process of a job;
 * heap->seeded is 0 where that could not be had: Lua keeps its seed in an unknown place. */
lua_State *heap_new_state(struct heap *heap, uint32_t seed);

/* The same, with memory of another heap, which is open. */
lua_State *heap_new_state_within(struct heap *heap, uint32_t seed, struct heap *owner);

#endif
