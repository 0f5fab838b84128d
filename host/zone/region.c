#include "zone/region.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "zone/core.h"

#if !defined(MAP_FIXED_NOREPLACE)
#define MAP_FIXED_NOREPLACE 0x100000 /* older kernels take it for a wish */
#endif
#if !defined(MADV_POPULATE_WRITE)
#define MADV_POPULATE_WRITE 23 /* older kernels refuse it */
#endif

enum { REGION_ALL_BITS = 64 };

/* Bytes of the near piece, the shift of its start left out. */
enum { REGION_NEAR_ROOM = 12 * 1024 };

/* The far piece grows by half of what it has, in steps of this size. From some size on it asks for
 * huge pages, and memory is given back where this much is free in a row. */
enum {
    REGION_STEP_LEAST = 256 * 1024,
    REGION_STEP_MOST = 64 * 1024 * 1024,
    REGION_HUGE_FROM = 8 * 1024 * 1024,
    REGION_HUGE = 2 * 1024 * 1024,
    REGION_TRIM_LEAST = 128 * 1024,
    REGION_PEAK_LEAST = 1024 * 1024
};

/* ---------------------------------------------------------------- addresses */

/* The zone begins here, or at one of the others. They are multiples of 2^32, and the addresses up
 * to REGION_END behind each keep clear of where malloc's memory can be: what the kernel maps by
 * itself (0x7e... and above; with an unlimited stack from 0x2aaa... upwards), programs and their
 * heaps (0x55..., 0x56...), and AddressSanitizer's (0x60... to 0x64..., and below 0x1001...). */
static const uintptr_t region_bases[] = {0x6d0000000000, 0x470000000000, 0x3a0000000000,
                                         0x2d0000000000, 0x1e0000000000, 0x110000000000};

/* Maps memory just there. Returns 0 or -1, with errno (EEXIST: something is there). */
static int region_map(uintptr_t at, size_t size)
{
    void *wanted = (void *)at; /* NOLINT(performance-no-int-to-ptr): the address is the point */
    void *got = mmap(wanted, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
    if (got == wanted)
        return 0;
    if (got != MAP_FAILED) {
        munmap(got, size);
        errno = EEXIST;
    }
    return -1;
}

uintptr_t region_map_base(enum zone_where *where)
{
    for (size_t i = 0; i < sizeof region_bases / sizeof *region_bases; i++) {
        if (region_map(region_bases[i], REGION_NEAR_END) != 0)
            continue;
        *where = i == 0 ? ZONE_HOME : ZONE_ELSEWHERE;
        /* A page at a time, as most of them will never be used; but the core at once. */
        madvise((void *)region_bases[i], REGION_NEAR_END, MADV_NOHUGEPAGE);
        madvise((void *)region_bases[i], core_size(), MADV_POPULATE_WRITE);
        core_lay_out(region_bases[i]);
        REGION_POISON((char *)region_bases[i] + REGION_CORE_START, REGION_CORE_ROOM);
        REGION_POISON((char *)region_bases[i] + REGION_NEAR_START,
                      REGION_NEAR_END - REGION_NEAR_START);
        return region_bases[i];
    }
    *where = ZONE_NOWHERE;
    return 0;
}

/* Where the far piece begins: at a page, less than one before its first cell. */
static char *region_mapped(const struct region *region)
{
    char *first = region->far + (size_t)region_near_words(region) * REGION_ALL_BITS * region->size;
    return first - (uintptr_t)first % REGION_PAGE;
}

void region_unmap_all(uintptr_t base)
{
    struct region *regions = (void *)(base + REGION_START);
    for (unsigned slot = 1; slot <= region_index(base)->count; slot++) {
        struct region *region = &regions[slot];
        if (region->used != region->first)
            free(region->used);
        if (region->size != 0 && region->end != region_mapped(region)) {
            size_t size = (size_t)(region->end - region_mapped(region));
            REGION_UNPOISON(region_mapped(region), size);
            munmap(region_mapped(region), size);
        }
    }
    REGION_UNPOISON((char *)base + REGION_CORE_START, REGION_NEAR_END - REGION_CORE_START);
    munmap((void *)base, REGION_NEAR_END);
}

/* ---------------------------------------------------------------- growing */

static uint32_t region_words_for(const struct region *region, const char *end)
{
    return (uint32_t)((size_t)(end - region->far) / ((size_t)region->size * REGION_ALL_BITS));
}

/* The bits of a word that stand for no cell. */
static uint64_t region_void(const struct region *region, uint64_t word)
{
    unsigned cells = 0;
    if (word + 1 == region_core_words(region))
        cells = region->core_cells % 64;
    else if (word + 1 == region_near_words(region))
        cells = region->near_cells % 64;
    return cells == 0 ? 0 : ~(uint64_t)0 << cells;
}

static uint64_t *region_full(const struct region *region)
{
    return region->used + region->words;
}

static uint64_t *region_fuller(const struct region *region)
{
    return region_full(region) + (region->words + 63) / 64;
}

/* Makes room for so many words in the bitmaps. New ones are zero, and those of the far piece are
 * not touched before they are used. */
static int region_make_room(struct region *region, uint32_t words)
{
    if (words <= region->words)
        return 0;
    size_t room = 2 * (size_t)region->words;
    if (room < words)
        room = words;
    room = (room + 63) / 64 * 64;
    size_t full = room / 64, fuller = full / 64 + 1;
    uint64_t *used = calloc(room + full + fuller, sizeof *used);
    if (used == NULL)
        return REGION_NO_MEMORY;
    memcpy(used, region->used, region->words * sizeof *used);
    memcpy(used + room, region_full(region), (region->words + 63) / 64 * sizeof *used);
    memcpy(used + room + full, region_fuller(region), (region->words / 4096 + 1) * sizeof *used);
    for (uint32_t word = region->words; word < region_near_words(region); word++)
        used[word] = region_void(region, word);
    if (region->used != region->first)
        free(region->used);
    region->used = used;
    region->words = (uint32_t)room;
    return 0;
}

/* The end of the addresses that the region may have. */
static uintptr_t region_limit(const struct region *region)
{
    uintptr_t slot = (uintptr_t)region_mapped(region) >> REGION_FAR_SHIFT;
    uintptr_t slots = region->size == REGION_PAGE && region->word == UINT32_MAX
                          ? REGION_CLASSES - REGION_PAGES
                          : 1;
    return (slot + slots) << REGION_FAR_SHIFT;
}

static uintptr_t region_round(uintptr_t at, uintptr_t step)
{
    return (at + step - 1) / step * step;
}

/* Maps up to `end` at least; more if it can be had. */
static int region_map_to(struct region *region, uintptr_t least)
{
    uintptr_t at = (uintptr_t)region->end, limit = region_limit(region);
    size_t have = at - (uintptr_t)region_mapped(region), step = region_round(have / 2, REGION_PAGE);
    least = region_round(least, REGION_PAGE);
    if (least > limit)
        return REGION_FULL;
    if (step < REGION_STEP_LEAST)
        step = REGION_STEP_LEAST;
    if (step > REGION_STEP_MOST)
        step = REGION_STEP_MOST;
    uintptr_t end = at + step > least ? at + step : least;
    if (have + step >= REGION_HUGE_FROM)
        end = region_round(end, REGION_HUGE);
    if (end > limit)
        end = limit;
    if (region_map(at, end - at) != 0 && (end = least, region_map(at, end - at) != 0))
        return errno == EEXIST ? REGION_FULL : REGION_NO_MEMORY;
    if (have + step >= REGION_HUGE_FROM)
        madvise(region->end, end - at, MADV_HUGEPAGE);
    REGION_POISON(region->end, end - at);
    region->end += end - at;
    return 0;
}

/* Makes the cells of a word usable. */
static int region_extend(struct region *region, uint32_t word)
{
    if (word >= region->reach) {
        uintptr_t end = (uintptr_t)region->far +
                        ((uintptr_t)word + 1) * REGION_ALL_BITS * (uintptr_t)region->size;
        int status = end > region_limit(region) ? REGION_FULL : region_map_to(region, end);
        if (status != 0)
            return status;
        region->reach = region_words_for(region, region->end);
    }
    return region_make_room(region, word + 1);
}

/* ---------------------------------------------------------------- words */

static void region_mark_full(struct region *region, uint32_t word)
{
    uint32_t above = word / 64;
    uint64_t *full = region_full(region);
    full[above] |= (uint64_t)1 << word % 64;
    if (full[above] == UINT64_MAX)
        region_fuller(region)[above / 64] |= (uint64_t)1 << above % 64;
}

static void region_unmark_full(struct region *region, uint32_t word)
{
    uint32_t above = word / 64;
    region_full(region)[above] &= ~((uint64_t)1 << word % 64);
    region_fuller(region)[above / 64] &= ~((uint64_t)1 << above % 64);
}

void region_sync(struct region *region)
{
    if (region->word == UINT32_MAX)
        return;
    region->used[region->word] = ~region->free;
    if (region->free == 0)
        region_mark_full(region, region->word);
    else
        region_unmark_full(region, region->word);
}

/* Remembers how many cells were in use at most, for giving memory back. */
static void region_note_peak(struct region *region, uint32_t word)
{
    if (word > region->top)
        region->top = word;
    if ((uint64_t)region->live * region->size > REGION_PEAK_LEAST &&
        (region->trim_at == UINT32_MAX || region->live / 4 > region->trim_at))
        region->trim_at = region->live / 4;
}

static void region_enter(struct region *region, uint32_t word)
{
    region->word = word;
    region->free = ~region->used[word];
    region->at = region_address(region, (uint64_t)word * REGION_ALL_BITS);
}

/* The lowest word above `word` that is not full; it may have no room yet. */
static uint32_t region_find(const struct region *region, uint32_t word)
{
    uint32_t above = word / 64;
    const uint64_t *full = region_full(region), *fuller = region_fuller(region);
    uint64_t there = ~full[above] & ~(uint64_t)1 << word % 64;
    if (there == 0) {
        uint32_t top = above / 64, words = region->words / 64;
        uint64_t rest = ~fuller[top] & ~(uint64_t)1 << above % 64;
        while (rest == 0 && (top + 1) * 64 < words)
            rest = ~fuller[++top];
        above = rest == 0 ? words : top * 64 + (uint32_t)__builtin_ctzll(rest);
        if (above >= words)
            return region->words;
        there = ~full[above];
    }
    return above * 64 + (uint32_t)__builtin_ctzll(there);
}

int region_next(struct region *region)
{
    region_sync(region);
    uint32_t word = region_find(region, region->word);
    if (word >= region->reach || word >= region->words) {
        int status = region_extend(region, word);
        if (status != 0)
            return status;
    }
    region_enter(region, word);
    region_note_peak(region, word);
    return 0;
}

/* ---------------------------------------------------------------- making */

static uint32_t region_size_of(unsigned number)
{
    unsigned class = number < REGION_PLACED ? number % REGION_CLASSES
                                            : (number - REGION_PLACED) % REGION_SMALL_CLASSES;
    if (class < REGION_SMALL_CLASSES)
        return (class + 1) * ZONE_STEP;
    if (class >= REGION_PAGES)
        return REGION_PAGE;
    class -= REGION_SMALL_CLASSES;
    return (uint32_t)(ZONE_SMALL + ZONE_SMALL / 4 * (class % 4 + 1)) << class / 4;
}

/* See enum zone_sort. */
static void region_set_weight(struct region *region)
{
    uint32_t weight = region->size, group = region->group;
    region->sort = ZONE_COUNTED;
    if (group == ZONE_FUNCTION)
        weight *= 2;
    else if (group == ZONE_THREAD)
        weight += 1024;
    else if (group == ZONE_OTHER || (group == ZONE_STRING && region->size <= 64))
        region->sort = ZONE_GUARDED;
    else if (group == ZONE_OWN || (group == ZONE_BLOCK && region->size == 64))
        region->sort = ZONE_UNCOUNTED;
    region->weight = (uint16_t)(weight / ZONE_STEP);
}

static void region_lay_out(struct region *region, uintptr_t base, unsigned number)
{
    uintptr_t line = (number * 7 + number / 32 * 13) % 64 * REGION_LINE;
    uintptr_t shift = (uintptr_t)number * 0xa3d000; /* of whole pages, below 2^33 */
    uintptr_t near = base + REGION_NEAR_START + ((uintptr_t)number << REGION_NEAR_SHIFT) + line;
    uintptr_t far = base + ((uintptr_t)(number + 1) << REGION_FAR_SHIFT) + shift;
    int is_of_pages = number < REGION_PLACED && number % REGION_CLASSES == REGION_PAGES;
    if (!is_of_pages && region->size <= REGION_PAGE)
        region->near_cells = (uint16_t)(REGION_NEAR_ROOM / region->size);
    size_t word = (size_t)REGION_ALL_BITS * region->size;
    region->near = (char *)near - region_core_words(region) * word;
    region->end = (char *)far;
    region->reach = region_near_words(region);
    region->far = (char *)far + (is_of_pages ? 0 : line) - region->reach * word;
    region->word = is_of_pages ? UINT32_MAX : 0;
}

/* The group whose objects are made with this kind in the short way; ZONE_GROUPS: none. */
static unsigned region_group_of(unsigned kind)
{
    static const unsigned char groups[REGION_KINDS] = {
        ZONE_BLOCK,    ZONE_GROUPS,   ZONE_GROUPS, ZONE_GROUPS, ZONE_STRING, ZONE_TABLE,
        ZONE_FUNCTION, ZONE_USERDATA, ZONE_GROUPS, ZONE_OTHER,  ZONE_OTHER};
    return groups[kind];
}

struct region *region_add(uintptr_t base, unsigned number)
{
    struct region_index *index = region_index(base);
    unsigned slot = ++index->count, group, class;
    struct region *region = (struct region *)(base + REGION_START) + slot;
    group = number < REGION_PLACED ? number / REGION_CLASSES
                                   : ZONE_BLOCK + (number - REGION_PLACED) / REGION_SMALL_CLASSES;
    class = number - REGION_FIRST(group);
    region->number = (uint16_t)number;
    region->group = (uint8_t)group;
    index->numbers[number] = (uint16_t)slot;
    for (unsigned i = REGION_PAGES; class == REGION_PAGES && i < REGION_CLASSES; i++)
        index->numbers[REGION_FIRST(group) + i] = (uint16_t)slot;
    for (unsigned kind = 0; class < REGION_SMALL_CLASSES && kind < REGION_KINDS; kind++)
        if (region_group_of(kind) == group)
            index->kinds[kind][class] = (uint16_t)slot;
    return region;
}

int region_open(uintptr_t base, unsigned number)
{
    unsigned slot = region_index(base)->numbers[number];
    struct region *region = (struct region *)(base + REGION_START) + slot;
    if (slot == 0)
        region = region_add(base, number);
    region->size = region_size_of(number);
    region_set_weight(region);
    region_lay_out(region, base, number);
    uint32_t units = region->size / ZONE_STEP;
    region->reciprocal = (0x80000000 + units - 1) / units;
    region->trim_at = UINT32_MAX;
    region->used = region->first;
    region->words = 1;
    region->used[0] = region_void(region, 0);
    if (region->word == UINT32_MAX)
        return 0;
    int status = region->reach == 0 ? region_extend(region, 0) : 0;
    if (status == 0)
        region_enter(region, 0);
    else
        region->size = 0;
    return status;
}

/* ---------------------------------------------------------------- single cells and rows */

int region_has(const struct region *region, uint64_t cell)
{
    uint64_t words = (region_limit(region) - (uintptr_t)region->far) / region->size / 64;
    return cell / 64 < words && (region_void(region, cell / 64) >> cell % 64 & 1) == 0;
}

/* Whether there are such cells, none of which stands for nothing. */
static int region_has_row(const struct region *region, uint64_t cell, uint64_t count)
{
    uint64_t end = cell + count;
    if (count == 0 || end < cell || !region_has(region, cell) || !region_has(region, end - 1))
        return 0;
    for (uint64_t word = cell / 64; word < region_near_words(region) && word < end / 64; word++)
        if (region_void(region, word) != 0)
            return 0;
    return 1;
}

static uint64_t region_used_word(const struct region *region, const uint64_t *marks, uint64_t word)
{
    uint64_t used = region->used[word];
    if (marks != NULL)
        used &= ~marks[word];
    return used & ~region_void(region, word);
}

uint64_t region_next_used(const struct region *region, const uint64_t *marks, uint64_t cell)
{
    uint64_t mask = ~(uint64_t)0 << cell % 64;
    for (uint64_t word = cell / 64; word < region->words; word++, mask = ~(uint64_t)0) {
        uint64_t used = region_used_word(region, marks, word) & mask;
        if (used != 0)
            return word * 64 + (uint64_t)__builtin_ctzll(used);
    }
    return (uint64_t)region->words * 64;
}

uint64_t region_end_used(const struct region *region, const uint64_t *marks, uint64_t cell,
                         uint64_t end)
{
    uint64_t mask = ~(uint64_t)0 << cell % 64;
    for (uint64_t word = cell / 64; word < region->words && word * 64 < end; word++) {
        uint64_t free = ~region_used_word(region, marks, word) & mask;
        if (free != 0) {
            uint64_t found = word * 64 + (uint64_t)__builtin_ctzll(free);
            return found < end ? found : end;
        }
        mask = ~(uint64_t)0;
    }
    uint64_t room = (uint64_t)region->words * 64;
    return room < end ? room : end;
}

/* The lowest cell from `cell` that is not in use; there may be no room for it yet. */
static uint64_t region_next_free(const struct region *region, uint64_t cell)
{
    uint64_t word = cell / 64;
    if (word >= region->words)
        return cell;
    uint64_t free = ~region->used[word] & ~(uint64_t)0 << cell % 64;
    if (free == 0) {
        word = region_find(region, (uint32_t)word);
        if (word >= region->words)
            return word * 64;
        free = ~region->used[word];
    }
    return word * 64 + (uint64_t)__builtin_ctzll(free);
}

/* Sets or clears bits of the bitmap; the current word is up to date and stays so. */
static void region_change_row(struct region *region, uint64_t cell, uint64_t count, int used)
{
    while (count > 0) {
        uint32_t word = (uint32_t)(cell / 64), from = (uint32_t)(cell % 64);
        uint64_t here = 64 - from < count ? 64 - from : count;
        uint64_t bits = (here == 64 ? ~(uint64_t)0 : ((uint64_t)1 << here) - 1) << from;
        if (used)
            region->used[word] |= bits;
        else
            region->used[word] &= ~bits;
        if (region->used[word] == UINT64_MAX)
            region_mark_full(region, word);
        else
            region_unmark_full(region, word);
        cell += here;
        count -= here;
    }
}

static void region_use_row(struct region *region, uint64_t cell, uint64_t count)
{
    region_sync(region);
    region_change_row(region, cell, count, 1);
    if (region->word != UINT32_MAX)
        region_enter(region, region->word);
    region->live += (uint32_t)count;
    region_note_peak(region, (uint32_t)((cell + count - 1) / 64));
}

int64_t region_take_row(struct region *region, uint32_t count)
{
    uint64_t cell = region_next_free(region, 0), end;
    while ((end = region_next_used(region, NULL, cell)) < cell + count &&
           end < (uint64_t)region->words * 64)
        cell = region_next_free(region, end);
    int status = region_extend(region, (uint32_t)((cell + count - 1) / 64));
    if (status != 0)
        return status;
    region_use_row(region, cell, count);
    return (int64_t)cell;
}

/* Whether none of these cells is in use. */
static int region_is_free(const struct region *region, uint64_t cell, uint64_t count)
{
    uint64_t end = cell + count;
    while (cell < end && cell / 64 < region->words) {
        uint64_t from = cell % 64, here = 64 - from < end - cell ? 64 - from : end - cell;
        uint64_t bits = (here == 64 ? ~(uint64_t)0 : ((uint64_t)1 << here) - 1) << from;
        if ((region->used[cell / 64] & bits) != 0)
            return 0;
        cell += here;
    }
    return 1;
}

/* Takes one cell of a word that is within reach. In there nothing is free that is no cell. */
static int region_claim_one(struct region *region, uint64_t cell)
{
    uint32_t word = (uint32_t)(cell / 64);
    uint64_t bit = (uint64_t)1 << cell % 64;
    if (word == region->word) {
        if ((region->free & bit) == 0)
            return -1;
        region->free &= ~bit;
    } else {
        if ((region->used[word] & bit) != 0)
            return -1;
        region->used[word] |= bit;
        if (region->used[word] == UINT64_MAX)
            region_mark_full(region, word);
    }
    region->live++;
    region_note_peak(region, word);
    return 0;
}

int region_claim(struct region *region, uint64_t cell, uint64_t count)
{
    if (count == 1 && region_is_within_reach(region, cell))
        return region_claim_one(region, cell);
    region_sync(region);
    if (!region_has_row(region, cell, count) || !region_is_free(region, cell, count) ||
        region_extend(region, (uint32_t)((cell + count - 1) / 64)) != 0)
        return -1;
    region_use_row(region, cell, count);
    return 0;
}

void region_give_row(struct region *region, uint32_t cell, uint32_t count)
{
    region_sync(region);
    region_change_row(region, cell, count, 0);
    if (region->word != UINT32_MAX)
        region_enter(region, cell / 64 < region->word ? cell / 64 : region->word);
    uint32_t before = region->live;
    region->live -= count;
    if (region->trim_at != UINT32_MAX && before > region->trim_at &&
        region->live <= region->trim_at)
        region_trim(region);
}

static void region_free(struct region *region, uint32_t cell)
{
    uint32_t word = cell / 64;
    uint64_t bit = (uint64_t)1 << cell % 64, used;
    if (word == region->word) {
        region->free |= bit;
    } else {
        used = region->used[word];
        region->used[word] = used & ~bit;
        if (used == UINT64_MAX)
            region_unmark_full(region, word);
        if (word < region->word) { /* the lowest free cell is there now */
            region_sync(region);
            region_enter(region, word);
        }
    }
}

void region_give_slowly(struct region *region, uint32_t cell)
{
    region_free(region, cell);
    if (--region->live == region->trim_at)
        region_trim(region);
}

void region_trim_chain(struct region *region)
{
    while (region->chain != NULL) {
        void **block = region->chain;
        REGION_UNPOISON(block, sizeof *block);
        region->chain = *block;
        REGION_POISON(block, sizeof *block);
        region_free(region, region_cell(region, (uintptr_t)block - region_base(region), block));
    }
    region_trim(region);
}

/* ---------------------------------------------------------------- giving memory back */

/* The words from `from` to `to` (not included) have no cell in use. */
static void region_give_back(const struct region *region, uint32_t from, uint32_t to)
{
    size_t bytes = (size_t)REGION_ALL_BITS * region->size;
    uintptr_t start = region_round((uintptr_t)region->far + from * bytes, REGION_PAGE);
    uintptr_t end = ((uintptr_t)region->far + to * bytes) / REGION_PAGE * REGION_PAGE;
    if (end > start && end - start >= REGION_TRIM_LEAST)
        madvise((void *)start, end - start, MADV_DONTNEED);
}

void region_trim(struct region *region)
{
    region_sync(region);
    uint32_t start = region_near_words(region), top = 0;
    uint32_t end = region->top < region->words ? region->top + 1 : region->words;
    for (uint32_t word = start; word < end; word++)
        if (region->used[word] != 0) {
            region_give_back(region, start, word);
            start = word + 1;
            top = word;
        }
    region_give_back(region, start, end);
    region->top = top;
    region->trim_at = UINT32_MAX;
    if ((uint64_t)region->live * region->size > REGION_PEAK_LEAST / 4)
        region->trim_at = region->live / 4;
}
