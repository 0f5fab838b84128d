/*
 * A region: cells of one size, of which the lowest free one is taken. For the files of zone/ only.
 * In regions without places cells that were freed are taken first, the last one first, which is
 * quicker.
 *
 * Used cells are told by a bitmap. The word of it that has the lowest free cell is at hand in
 * .free, inverted; the bitmap itself is behind the times for that word (region_sync). No word below
 * it has a free cell. Two further bitmaps tell which words are full, and which words of the first
 * of these are. Where there are no places a freed cell goes to a chain instead, and its bit stays
 * set until memory is given back (region_give_slowly).
 *
 * Cells lie in three pieces. The first few are in the core of the zone, side by side with those of
 * other regions (core.h); some more are near, in a few pages of the region's own; all others are
 * far, in a range of addresses of its own, mapped as it grows. A piece begins with a word of the
 * bitmap; where it does not fill its last one, the rest of that stands for nothing and counts as
 * used for ever.
 *
 * Where pieces begin differs from region to region, in cache lines (regions that all began at the
 * start of a page would fight for the same lines of the cache) and in the low 32 bits of the far
 * ones, by which tables hash.
 */
#ifndef CKPTLUA_ZONE_REGION_H
#define CKPTLUA_ZONE_REGION_H

#include <stddef.h>
#include <stdint.h>

#include "zone/zone.h"

#if defined(__SANITIZE_ADDRESS__)
#define REGION_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define REGION_POISONS 1
#endif
#endif

#if defined(REGION_POISONS)
#include <sanitizer/asan_interface.h>
#define REGION_POISON(at, size) ASAN_POISON_MEMORY_REGION(at, size)
#define REGION_UNPOISON(at, size) ASAN_UNPOISON_MEMORY_REGION(at, size)
#else
#define REGION_POISON(at, size) ((void)(at), (void)(size))
#define REGION_UNPOISON(at, size) ((void)(at), (void)(size))
#endif

#define REGION_LIKELY(condition) __builtin_expect(!!(condition), 1)

/* Inlined, these would make the short way save registers that it does not need. */
#define REGION_APART __attribute__((noinline))

/*
 * Numbers of regions. Each kind with places has 64: 32 of small cells, 20 of up to 16 kB (four a
 * doubling), one of pages for larger objects, which has the addresses of the last 11 too. The other
 * groups have the small ones only.
 */
enum {
    REGION_SMALL_CLASSES = ZONE_SMALL / ZONE_STEP,
    REGION_MIDDLE_CLASSES = 20,
    REGION_PAGES = REGION_SMALL_CLASSES + REGION_MIDDLE_CLASSES, /* the class of pages */
    REGION_CLASSES = 64,
    REGION_PLACED = 4 * REGION_CLASSES, /* regions of kinds with places */
    REGION_COUNT = REGION_PLACED + (ZONE_GROUPS - 4) * REGION_SMALL_CLASSES,
    REGION_MIDDLE = 16384, /* bytes of the largest cell but for pages */
    REGION_PAGE = 4096
};

/*
 * The addresses, from the base: an index, the core, the regions themselves, the near pieces, the
 * far ones. All that a small state uses of the first three is in few pages: a region has a slot
 * among the regions from when it is first used.
 */
enum { REGION_NEAR_SHIFT = 14, REGION_FAR_SHIFT = 35, REGION_LINE = 64, REGION_KINDS = 11 };
#define REGION_CORE_START ((uintptr_t)REGION_PAGE)
#define REGION_CORE_ROOM ((uintptr_t)19 * REGION_PAGE)
#define REGION_START (REGION_CORE_START + REGION_CORE_ROOM)
#define REGION_NEAR_START ((uintptr_t)192 * 1024)
#define REGION_NEAR_END (REGION_NEAR_START + ((uintptr_t)REGION_COUNT << REGION_NEAR_SHIFT))
#define REGION_END ((uintptr_t)(REGION_COUNT + 1) << REGION_FAR_SHIFT)

/* Slots; 0 is that of a region without cells. */
struct region_index {
    uint16_t count;                                     /* of slots given away */
    uint16_t numbers[REGION_COUNT];                     /* of a region by its number, */
    uint16_t kinds[REGION_KINDS][REGION_SMALL_CLASSES]; /* by the kind that lua_Alloc is told, */
    uint16_t lines[REGION_CORE_ROOM / REGION_LINE];     /* and by the place in the core */
};

struct region {
    uint64_t free;       /* cells of the current word */
    char *at;            /* its first cell */
    void **chain;        /* freed cells of a region without places, each with the next one in it */
    char *near, *far;    /* where cell 0 would be if all were in this piece */
    uint32_t size;       /* of a cell; 0: the region has not been used */
    uint32_t word;       /* the current one; UINT32_MAX in regions of pages */
    uint32_t live;       /* cells in use */
    uint32_t trim_at;    /* this many in use: memory is given back */
    uint32_t reciprocal; /* 2^31 / (size / 16), rounded up */
    uint16_t weight;     /* what a cell counts, in 16 bytes */
    uint8_t sort, group;

    uint64_t *used;  /* the bitmap; then come those of full words and of full words of these */
    char *end;       /* of what is mapped of the far piece */
    uint32_t words;  /* room in the bitmap */
    uint32_t reach;  /* words whose cells are mapped */
    uint32_t top;    /* the highest word with cells in use, or higher */
    uint32_t core;   /* where cell 0 is, from the base, if there are some in the core */
    uint16_t number; /* of the region */
    uint16_t core_cells, near_cells;
    uint64_t first[3]; /* the bitmaps, while they are of one word */
};

_Static_assert(sizeof(struct region) == 128, "two lines, the first of which is used most");
_Static_assert(sizeof(struct region_index) <= REGION_CORE_START, "the index is in front");
_Static_assert(REGION_START + (REGION_COUNT + 1) * sizeof(struct region) <= REGION_NEAR_START,
               "a slot for each region");

/* Why there is no cell. */
enum { REGION_NO_MEMORY = -1, REGION_FULL = -2 };

/* The base of a zone whose first pages are mapped, or 0. */
uintptr_t region_map_base(enum zone_where *where);
void region_unmap_all(uintptr_t base);

/* The region `number`, which has none yet, gets a slot. */
struct region *region_add(uintptr_t base, unsigned number);

/* Prepares region `number`. Returns 0 or one of the above. */
int region_open(uintptr_t base, unsigned number);

/* .free is 0: goes on to the next word with a free cell. Returns 0 or one of the above. */
int region_next(struct region *region);

/* Frees a cell of a region with places, anywhere, and gives memory back when it is time to. */
void region_give_slowly(struct region *region, uint32_t cell);

/* Memory is to be given back: frees the cells of the chain and does so. */
void region_trim_chain(struct region *region);

/* Brings the bitmap up to date. */
void region_sync(struct region *region);

/* Gives back the memory of ranges of free cells. */
void region_trim(struct region *region);

/* Takes `count` free cells in a row, the lowest there are. Returns the first one, or one of the
 * above. For regions of pages. */
int64_t region_take_row(struct region *region, uint32_t count);

/* Takes these cells if all are free. Returns 0 or -1. */
int region_claim(struct region *region, uint64_t cell, uint64_t count);

/* Whether there is such a cell. */
int region_has(const struct region *region, uint64_t cell);

/* Frees cells that are in use. */
void region_give_row(struct region *region, uint32_t cell, uint32_t count);

/* The lowest cell from `cell` that is used and, where `marks` is given, has no mark there; the room
 * of the bitmap if none. And the lowest that is not so, at most `end`. */
uint64_t region_next_used(const struct region *region, const uint64_t *marks, uint64_t cell);
uint64_t region_end_used(const struct region *region, const uint64_t *marks, uint64_t cell,
                         uint64_t end);

/* Bases are multiples of 2^32. */
static inline uintptr_t region_base(const struct region *region)
{
    return (uintptr_t)region >> 32 << 32;
}

static inline struct region_index *region_index(uintptr_t base)
{
    return (void *)base; /* NOLINT(performance-no-int-to-ptr): the address is the point */
}

/* One of size 0 if it has not been used. */
static inline struct region *region_get(const struct zone *zone, unsigned number)
{
    return &zone->regions[region_index(zone->base)->numbers[number]];
}

/* The first regions of a group, and the class of a size. */
#define REGION_FIRST(group) \
    ((group) < 4 ? (group)*REGION_CLASSES : REGION_PLACED + ((group)-4) * REGION_SMALL_CLASSES)

static inline unsigned region_class(size_t size)
{
    if (size <= ZONE_SMALL)
        return (unsigned)(size - 1) / ZONE_STEP;
    if (size > REGION_MIDDLE)
        return REGION_PAGES;
    unsigned top = 31 - (unsigned)__builtin_clz((unsigned)size - 1);
    unsigned quarter = (unsigned)(size - 1) >> (top - 2) & 3;
    return REGION_SMALL_CLASSES + (top - 9) * 4 + quarter;
}

/* The region of an address, told by its distance from the base: from the core's start on, and below
 * REGION_END. */
static inline struct region *region_of(const struct zone *zone, uintptr_t distance)
{
    const struct region_index *index = region_index(zone->base);
    unsigned slot;
    if (distance >= REGION_NEAR_END)
        slot = index->numbers[(distance >> REGION_FAR_SHIFT) - 1];
    else if (distance >= REGION_NEAR_START)
        slot = index->numbers[(distance - REGION_NEAR_START) >> REGION_NEAR_SHIFT];
    else
        slot = index->lines[(distance - REGION_CORE_START) / REGION_LINE];
    return &zone->regions[slot];
}

/* Words of the bitmap for the core, and for all that is not far. */
static inline uint32_t region_core_words(const struct region *region)
{
    return (region->core_cells + 63u) / 64;
}

static inline uint32_t region_near_words(const struct region *region)
{
    return region_core_words(region) + (region->near_cells + 63u) / 64;
}

static inline char *region_core(const struct region *region)
{
    return (char *)region_base(region) + region->core;
}

static inline uint32_t region_cell(const struct region *region, uintptr_t distance,
                                   const void *block)
{
    const char *start = distance >= REGION_NEAR_END     ? region->far
                        : distance >= REGION_NEAR_START ? region->near
                                                        : region_core(region);
    uint64_t steps = (uint64_t)((const char *)block - start) / ZONE_STEP;
    return (uint32_t)(steps * region->reciprocal >> 31);
}

static inline char *region_address(const struct region *region, uint64_t cell)
{
    char *start = cell / 64 >= region_near_words(region)   ? region->far
                  : cell / 64 >= region_core_words(region) ? region->near
                                                           : region_core(region);
    return start + cell * region->size;
}

/* Whether that is a cell for which there is memory, or a hole behind the near ones. */
static inline int region_is_within_reach(const struct region *region, uint64_t cell)
{
    return cell / 64 < region->reach && cell / 64 < region->words;
}

/* Whether a cell is at hand. */
static inline int region_is_ready(const struct region *region)
{
    return region->chain != NULL || region->free != 0;
}

/* A cell is at hand. */
static inline void *region_take(struct region *region)
{
    region->live++;
    if (region->chain != NULL) {
        void **block = region->chain;
        REGION_UNPOISON(block, sizeof *block);
        region->chain = *block;
        return block;
    }
    uint64_t free = region->free;
    region->free = free & (free - 1);
    return region->at + (uint64_t)(unsigned)__builtin_ctzll(free) * region->size;
}

static inline void region_give_cell(struct region *region, uint32_t cell)
{
    if (REGION_LIKELY(cell / 64 == region->word && region->live - 1 != region->trim_at)) {
        region->free |= (uint64_t)1 << cell % 64;
        region->live--;
    } else {
        region_give_slowly(region, cell);
    }
}

/* Frees a cell. Not for regions of pages. */
static inline void region_give(struct region *region, uintptr_t distance, void *block)
{
    if (region->group >= ZONE_BLOCK) {
        REGION_UNPOISON(block, sizeof region->chain); /* it may be smaller */
        *(void **)block = region->chain;
        REGION_POISON(block, region->size);
        region->chain = block;
        if (--region->live == region->trim_at)
            region_trim_chain(region);
    } else {
        REGION_POISON(block, region->size);
        region_give_cell(region, region_cell(region, distance, block));
    }
}

#endif
