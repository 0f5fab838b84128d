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
    struct zone zone;  /* the state's allocator is zone_alloc with this */
    char *state;       /* while the state is made: its first block, */
    size_t state_size; /* which the seed is written into */
    uint32_t seed;
    int seeded;
    int warns, warning; /* the script has called warn("@on"); a warning has more pieces to come */
};

/* All zeros is a closed heap. */

/* After lua_close. */
void heap_close(struct heap *heap);

/* As luaL_newstate, with this heap: panics are told on stderr, warnings are off until the script
 * calls warn("@on"). NULL when out of memory.
 *
 * Strings are hashed with this seed, so that tables have the same order in each process of a job;
 * heap->seeded is 0 where that could not be had: Lua keeps its seed in an unknown place. */
lua_State *heap_new_state(struct heap *heap, uint32_t seed);

#endif
