/*
 * Memory for the elements of arrays: blocks outside of Lua's heap, aligned to 64 bytes, counted by
 * those who hold them. A block that more than one holds is not written to: whoever wants to, makes
 * a copy first (array.h).
 *
 * A block of BLOCK_POOLED bytes or more that nobody holds any longer is kept for the next one of
 * its size, as a loop makes vectors of a few sizes all the time: the pages of new memory cost more
 * than what is done with them. What is kept so is at most BLOCK_KEPT bytes, or a quarter of what is
 * held, if that is more. Blocks of 2 MB and more ask for huge pages, as far
 * as these take no more than an eighth besides.
 *
 * No function raises, and none needs a Lua state. A pool belongs to one state, and so to one
 * thread.
 */
#ifndef CKPTLUA_NUM_BLOCK_H
#define CKPTLUA_NUM_BLOCK_H

#include <stddef.h>

#define BLOCK_ALIGNMENT ((size_t)64)
#define BLOCK_POOLED ((size_t)128 << 10)
#define BLOCK_KEPT ((size_t)64 << 20)

struct block {
    size_t holders;
    size_t bytes; /* that can be used */
    void *data;
    struct block *next; /* in the pool */
};

/* All zeros is an empty one. */
struct block_pool {
    struct block *first; /* the ones let go of last come first */
    size_t kept, held;   /* bytes */
    size_t made, left;   /* bytes since the last collection, and then (account.c) */
};

/* A block of at least `bytes`, held once; its bytes are whatever they are. NULL: out of memory. */
struct block *block_new(struct block_pool *pool, size_t bytes);

/* One holder more, or less. NULL is fine for both. */
struct block *block_hold(struct block *block);
void block_release(struct block_pool *pool, struct block *block);

/* Gives back what the pool keeps. Blocks that are held stay. */
void block_pool_empty(struct block_pool *pool);

#endif
