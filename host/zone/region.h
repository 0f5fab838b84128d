/*
 * A region: cells of one size, of which the lowest free one is taken. For the files of zone/ only.
 *
 * Used cells are told by a bitmap. The word of it that has the lowest free cell is at hand in
 * .free, inverted; the bitmap itself is behind the times for that word (region_sync). No word below
 * it has a free cell. Two further bitmaps tell which words are full, and which words of the first
 * of these are.
 *
 * Cells lie in two pieces. The first few are near those of all other regions, so that a small state
 * takes few pages; the others are far, in a range of addresses of the region's own, mapped as it
 * grows. Where the near cells do not fill their last word of the bitmap, the rest of it stands for
 * nothing and counts as used for ever.
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
    REGION_NONE = REGION_COUNT, /* one more, which never has a free cell */
    REGION_MIDDLE = 16384,      /* bytes of the largest cell but for pages */
    REGION_PAGE = 4096
};

/* The addresses, from the base: the regions themselves, the near pieces, the far ones. */
enum { REGION_NEAR_SHIFT = 14, REGION_FAR_SHIFT = 35 };
#define REGION_NEAR_START ((uintptr_t)128 * 1024)
#define REGION_NEAR_END (REGION_NEAR_START + ((uintptr_t)REGION_COUNT << REGION_NEAR_SHIFT))
#define REGION_END ((uintptr_t)(REGION_COUNT + 1) << REGION_FAR_SHIFT)

struct region {
    uint64_t free;       /* cells of the current word */
    char *at;            /* its first cell */
    uint64_t *used;      /* the bitmap */
    char *near;          /* cell 0 */
    char *far;           /* where cell 0 would be if all were far */
    uint32_t size;       /* of a cell; 0: the region has not been used */
    uint32_t word;       /* the current one; UINT32_MAX in regions of pages */
    uint32_t live;       /* cells in use */
    uint32_t trim_at;    /* this many in use: memory is given back */
    uint32_t reciprocal; /* 2^31 / (size / 16), rounded up */
    uint16_t weight;     /* what a cell counts, in 16 bytes */
    uint8_t sort, group;

    uint64_t *full, *fuller; /* words of .used that are full, and words of .full */
    char *mapped, *end;      /* of the far piece */
    uint32_t words;          /* room in the bitmap */
    uint32_t reach;          /* words whose cells are mapped */
    uint32_t near_words, near_cells;
    uint32_t top; /* the highest word with cells in use, or higher */
    uint32_t unused[3];
    uint64_t first[14 + 2]; /* bitmaps while they are small: 12, 1 and 1 words */
};

_Static_assert(sizeof(struct region) == 256, "regions lie in the zone's first pages");
_Static_assert((REGION_COUNT + 1) * sizeof(struct region) <= REGION_NEAR_START, "as above");

enum { REGION_FIRST_WORDS = 12 };

/* Why there is no cell. */
enum { REGION_NO_MEMORY = -1, REGION_FULL = -2 };

/* The base of a zone whose first pages are mapped, or 0. */
uintptr_t region_map_base(enum zone_where *where);
void region_unmap_all(uintptr_t base);

/* Prepares region `number`. Returns 0 or one of the above. */
int region_open(uintptr_t base, unsigned number);

/* .free is 0: goes on to the next word with a free cell. Returns 0 or one of the above. */
int region_next(struct region *region);

/* Frees a cell anywhere, and gives memory back when it is time to. */
void region_give_slowly(struct region *region, uint32_t cell);

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

static inline struct region *region_get(const struct zone *zone, unsigned number)
{
    return &zone->regions[number];
}

/* The region of an address, told by its distance from the base, which is below REGION_END; not for
 * the further addresses of a region of pages. */
static inline unsigned region_of(uintptr_t distance)
{
    return (unsigned)(distance < REGION_NEAR_END
                          ? (distance - REGION_NEAR_START) >> REGION_NEAR_SHIFT
                          : (distance >> REGION_FAR_SHIFT) - 1);
}

static inline uint32_t region_cell(const struct region *region, uintptr_t distance,
                                   const void *block)
{
    const char *start = distance < REGION_NEAR_END ? region->near : region->far;
    uint64_t steps = (uint64_t)((const char *)block - start) / ZONE_STEP;
    return (uint32_t)(steps * region->reciprocal >> 31);
}

static inline char *region_address(const struct region *region, uint64_t cell)
{
    return (cell < region->near_cells ? region->near : region->far) + cell * region->size;
}

/* Whether that is a cell for which there is memory, or a hole behind the near ones. */
static inline int region_is_within_reach(const struct region *region, uint64_t cell)
{
    return cell / 64 < region->reach && cell / 64 < region->words;
}

/* .free is not 0. */
static inline void *region_take(struct region *region)
{
    uint64_t free = region->free;
    region->free = free & (free - 1);
    region->live++;
    return region->at + (uint64_t)(unsigned)__builtin_ctzll(free) * region->size;
}

static inline void region_give(struct region *region, uint32_t cell)
{
    if (REGION_LIKELY(cell / 64 == region->word && region->live - 1 != region->trim_at)) {
        region->free |= (uint64_t)1 << cell % 64;
        region->live--;
    } else {
        region_give_slowly(region, cell);
    }
}

#endif
