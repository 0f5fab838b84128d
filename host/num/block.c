#include "num/block.h"

#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>

#define BLOCK_HUGE ((size_t)2 << 20)

static size_t block_round(size_t bytes, size_t unit)
{
    return (bytes + unit - 1) / unit * unit;
}

static void block_free(struct block *block)
{
    free(block->data);
    free(block);
}

/* One of the pool that has just that size. */
static struct block *block_kept(struct block_pool *pool, size_t bytes)
{
    for (struct block **at = &pool->first; *at != NULL; at = &(*at)->next) {
        struct block *block = *at;
        if (block->bytes == bytes) {
            *at = block->next;
            pool->kept -= bytes;
            return block;
        }
    }
    return NULL;
}

static struct block *block_allocate(size_t bytes)
{
    struct block *block = malloc(sizeof *block);
    if (block == NULL)
        return NULL;
    size_t alignment = bytes >= BLOCK_HUGE ? BLOCK_HUGE : BLOCK_ALIGNMENT;
    block->data = aligned_alloc(alignment, block_round(bytes, alignment));
    if (block->data == NULL) {
        free(block);
        return NULL;
    }
    if (bytes >= BLOCK_HUGE) {
        size_t whole = block_round(bytes, BLOCK_HUGE);
        madvise(block->data, whole - bytes <= bytes / 8 ? whole : whole - BLOCK_HUGE,
                MADV_HUGEPAGE);
    }
    block->bytes = bytes;
    return block;
}

struct block *block_new(struct block_pool *pool, size_t bytes)
{
    if (bytes > SIZE_MAX / 2)
        return NULL;
    bytes = block_round(bytes > 0 ? bytes : 1, BLOCK_ALIGNMENT);
    struct block *block = bytes >= BLOCK_POOLED ? block_kept(pool, bytes) : NULL;
    if (block == NULL)
        block = block_allocate(bytes);
    if (block == NULL && pool->first != NULL) {
        block_pool_empty(pool);
        block = block_allocate(bytes);
    }
    if (block == NULL)
        return NULL;
    block->holders = 1;
    block->next = NULL;
    pool->held += bytes;
    return block;
}

struct block *block_hold(struct block *block)
{
    if (block != NULL)
        block->holders++;
    return block;
}

/* Frees those that were let go of first, until the pool keeps no more than `most` bytes. */
static void block_pool_limit(struct block_pool *pool, size_t most)
{
    size_t kept = 0;
    struct block **at = &pool->first;
    while (*at != NULL && kept + (*at)->bytes <= most) {
        kept += (*at)->bytes;
        at = &(*at)->next;
    }
    struct block *rest = *at;
    *at = NULL;
    pool->kept = kept;
    while (rest != NULL) {
        struct block *next = rest->next;
        block_free(rest);
        rest = next;
    }
}

void block_release(struct block_pool *pool, struct block *block)
{
    if (block == NULL || --block->holders > 0)
        return;
    pool->held -= block->bytes;
    if (block->bytes < BLOCK_POOLED) {
        block_free(block);
        return;
    }
    block->next = pool->first;
    pool->first = block;
    pool->kept += block->bytes;
    size_t most = pool->held / 4 > BLOCK_KEPT ? pool->held / 4 : BLOCK_KEPT;
    if (pool->kept > most)
        block_pool_limit(pool, most);
}

void block_pool_empty(struct block_pool *pool)
{
    block_pool_limit(pool, 0);
}
