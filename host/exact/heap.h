/*
 * The memory of a Lua state. Small blocks come out of size classes with free lists: Lua tells the
 * size of a block when it gives it back, so no block needs a header, and only one thread uses the
 * state, so none needs a lock. Larger blocks come from malloc.
 *
 * Measured against malloc in bench/: the interpreter gains more by it than it loses by living in a
 * host. Memory of small blocks is kept for other blocks of their class until the state is closed.
 */
#ifndef CKPTLUA_EXACT_HEAP_H
#define CKPTLUA_EXACT_HEAP_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

enum { HEAP_STEP = 16, HEAP_SMALL = 512, HEAP_CLASSES = HEAP_SMALL / HEAP_STEP };

struct heap {
    void *free[HEAP_CLASSES]; /* first free block of a class; each holds the address of the next */
    char *at, *end;           /* what is left of the newest chunk */
    void *chunks;             /* all of them, linked */
    size_t next_chunk;        /* bytes */
    char *state;              /* while the state is made: its first block, */
    size_t state_size;        /* which the seed is written into */
    uint32_t seed;
    int seeded;
    int warns, warning; /* the script has called warn("@on"); a warning has more pieces to come */
};

/* All zeros is a new heap. */

/* A lua_Alloc; context is the heap. */
void *heap_alloc(void *context, void *block, size_t old_size, size_t new_size);

/* After lua_close. */
void heap_close(struct heap *heap);

/* As luaL_newstate, with this heap: panics are told on stderr, warnings are off until the script
 * calls warn("@on"). NULL when out of memory.
 *
 * Strings are hashed with this seed, so that tables have the same order in each process of a job;
 * heap->seeded is 0 where that could not be had: Lua keeps its seed in an unknown place. */
lua_State *heap_new_state(struct heap *heap, uint32_t seed);

#endif
