#include "zone/zone.h"

#include <malloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysinfo.h>

#include <lua.h>

#include "zone/places.h"
#include "zone/region.h"

/* Why a call takes the longer way. */
enum zone_special {
    ZONE_PLAIN = 1,       /* no zone: malloc */
    ZONE_IS_OWN = 2,      /* zone_own */
    ZONE_WANTS = 4,       /* a place is wanted */
    ZONE_STACK = 8,       /* a thread was made: if a block follows, it is its stack */
    ZONE_GREW = 16,       /* a large block was made: if a stack is freed now, it is the new one */
    ZONE_OWNS_BLOCKS = 32 /* zone_own, of blocks only */
};

/* Kinds as lua_Alloc tells them (LUA_T*; 9 and 10 are upvalues and prototypes). */
enum { ZONE_UPVALUE_KIND = 9, ZONE_PROTOTYPE_KIND = 10, ZONE_LONGEST_SHORT = 65 };

/* Large blocks of groups without places come from malloc, and begin with this. */
struct zone_large {
    uint32_t group;
    uint32_t is_stack;
    uint64_t size;
};

#define ZONE_NO_LIMIT (INT64_MAX / 4)

_Static_assert(ZONE_THREAD - ZONE_TABLE == LUA_TTHREAD - LUA_TTABLE, "groups in Lua's order");

/* ---------------------------------------------------------------- counting */

static void zone_set_left(struct zone *zone, enum zone_sort sort, uint64_t since)
{
    zone->left[sort] = zone->limit[sort] - (int64_t)since;
}

/* Returns block, so that the short way ends with this call. */
REGION_APART static void *zone_tell_limit(struct zone *zone, enum zone_sort sort, void *block)
{
    uint64_t since = zone_since(zone, sort);
    zone->limit[sort] = ZONE_NO_LIMIT;
    zone_set_left(zone, sort, since);
    if (zone->reached != NULL)
        zone->reached(zone->context, sort);
    return block;
}

static inline void *zone_count(struct zone *zone, enum zone_sort sort, int64_t bytes, void *block)
{
    if (REGION_LIKELY((zone->left[sort] -= bytes) > 0))
        return block;
    return zone_tell_limit(zone, sort, block);
}

static enum zone_sort zone_sort_large(uint32_t group)
{
    return group == ZONE_OWN ? ZONE_UNCOUNTED : ZONE_COUNTED;
}

uint64_t zone_since(const struct zone *zone, enum zone_sort sort)
{
    return (uint64_t)(zone->limit[sort] - zone->left[sort]);
}

void zone_set_since(struct zone *zone, enum zone_sort sort, uint64_t bytes)
{
    zone_set_left(zone, sort, bytes < ZONE_NO_LIMIT ? bytes : ZONE_NO_LIMIT);
}

void zone_set_limit(struct zone *zone, enum zone_sort sort, uint64_t bytes)
{
    uint64_t since = zone_since(zone, sort);
    zone->limit[sort] = bytes < ZONE_NO_LIMIT ? (int64_t)bytes : ZONE_NO_LIMIT;
    zone_set_left(zone, sort, since);
}

void zone_on_limit(struct zone *zone, void (*reached)(void *context, enum zone_sort sort),
                   void *context)
{
    zone->reached = reached;
    zone->context = context;
}

void zone_restart(struct zone *zone)
{
    for (int sort = 0; sort < ZONE_SORTS; sort++)
        zone->left[sort] = zone->limit[sort] = ZONE_NO_LIMIT;
    zone->special &= ~(unsigned)(ZONE_STACK | ZONE_GREW);
}

void zone_charge(struct zone *zone, enum zone_sort sort, uint64_t bytes)
{
    if (zone->regions != NULL)
        zone_count(zone, sort, bytes < ZONE_NO_LIMIT ? (int64_t)bytes : ZONE_NO_LIMIT, NULL);
}

/* Of this group or this sort; -1: any. */
static uint64_t zone_sum(const struct zone *zone, int group, int sort)
{
    uint64_t sum = 0;
    unsigned count = zone->regions == NULL ? 0 : region_index(zone->base)->count;
    for (unsigned slot = 1; slot <= count; slot++) {
        const struct region *region = &zone->regions[slot];
        if ((group < 0 || region->group == group) && (sort < 0 || region->sort == sort))
            sum += (uint64_t)region->live * region->weight * ZONE_STEP;
    }
    return sum;
}

uint64_t zone_live(const struct zone *zone, enum zone_sort sort)
{
    uint64_t sum = zone_sum(zone, -1, (int)sort);
    for (uint32_t group = 0; group < ZONE_GROUPS; group++)
        if (zone_sort_large(group) == sort)
            sum += zone->large[group];
    return sum;
}

uint64_t zone_live_group(const struct zone *zone, enum zone_group group)
{
    return zone_sum(zone, (int)group, -1) + zone->large[group];
}

uint64_t zone_live_objects(const struct zone *zone)
{
    uint64_t sum = 0;
    for (int group = ZONE_TABLE; group <= ZONE_BLOCK; group++)
        sum += zone_sum(zone, group, ZONE_COUNTED) + zone->large[group];
    return sum;
}

/* ---------------------------------------------------------------- large blocks */

static struct zone_large *zone_header(void *block)
{
    return (struct zone_large *)block - 1;
}

/* A block from malloc is told by its address. Nothing maps memory there but the zone (region.c), so
 * this is not to be expected. */
static int zone_is_within(const struct zone *zone, const void *block)
{
    return (uintptr_t)block - zone->base < REGION_END;
}

static void *zone_take_large(struct zone *zone, uint32_t group, size_t size, int is_stack)
{
    struct zone_large *header = malloc(sizeof *header + size);
    if (header == NULL || zone_is_within(zone, header)) {
        free(header);
        return NULL;
    }
    *header = (struct zone_large){group, (uint32_t)is_stack, size};
    zone->large[group] += size;
    if (group == ZONE_BLOCK || group == ZONE_OWN) {
        zone->last = header + 1;
        zone->special |= ZONE_GREW;
    }
    zone_count(zone, zone_sort_large(group), (int64_t)size, NULL);
    return header + 1;
}

/* If a large block was made by the last call, it is no stack. */
static void zone_settle(struct zone *zone)
{
    zone->special &= ~(unsigned)ZONE_GREW;
}

/* A stack is freed just after a large block was made: Lua has moved the one to the other, and what
 * was counted was not to be. */
static void zone_settle_stack(struct zone *zone)
{
    struct zone_large *header = zone_header(zone->last);
    zone_settle(zone);
    header->is_stack = 1;
    if (header->group == ZONE_OWN)
        return;
    zone->large[header->group] -= header->size;
    zone->left[ZONE_COUNTED] += (int64_t)header->size;
    header->group = ZONE_OWN;
    zone->large[ZONE_OWN] += header->size;
    zone_count(zone, ZONE_UNCOUNTED, (int64_t)header->size, NULL);
}

static void zone_give_large(struct zone *zone, void *block)
{
    struct zone_large *header = zone_header(block);
    if ((zone->special & ZONE_GREW) != 0 && header->is_stack)
        zone_settle_stack(zone);
    else
        zone_settle(zone);
    zone->large[header->group] -= header->size;
    free(header);
}

/* Bytes that a large block may be larger than asked for when it has shrunk. */
enum { ZONE_KEPT = 4 * 1024 * 1024 };

/* Whether the block can stay as it is. Lua halves its table of strings at a collection, and doubles
 * it soon afterwards: new pages cost more than all else in that. */
static int zone_fits(struct zone_large *header, size_t size)
{
    size_t room = malloc_usable_size(header) - sizeof *header;
    return size <= room && size >= room / 4 && room - size <= ZONE_KEPT;
}

static void *zone_resize_large(struct zone *zone, void *block, size_t size)
{
    struct zone_large *header = zone_header(block);
    if (!zone_fits(header, size))
        header = realloc(header, sizeof *header + size);
    if (header == NULL)
        return NULL;
    zone->large[header->group] += size - header->size;
    if (size > header->size)
        zone_count(zone, zone_sort_large(header->group), (int64_t)(size - header->size), NULL);
    header->size = size;
    return header + 1;
}

/* ---------------------------------------------------------------- cells */

static uint64_t zone_pages(size_t size)
{
    return ((uint64_t)size + REGION_PAGE - 1) / REGION_PAGE;
}

static void *zone_hand_out(struct zone *zone, struct region *region, void *block, size_t size)
{
    uint64_t cells = region->word == UINT32_MAX ? zone_pages(size) : 1;
    REGION_UNPOISON(block, size);
    return zone_count(zone, region->sort, (int64_t)(cells * region->weight * ZONE_STEP), block);
}

/* A place in region `number`. Returns 0 or a negative number, as region_next. */
static int zone_take_in(struct zone *zone, unsigned number, size_t size, void **block)
{
    int status = region_get(zone, number)->size == 0 ? region_open(zone->base, number) : 0;
    struct region *region = region_get(zone, number);
    if (status == 0 && number < REGION_PLACED && number % REGION_CLASSES == REGION_PAGES) {
        uint64_t cells = zone_pages(size);
        int64_t cell = cells > UINT32_MAX ? REGION_FULL : region_take_row(region, (uint32_t)cells);
        if (cell < 0)
            return (int)cell;
        *block = region_address(region, (uint64_t)cell);
    } else if (status == 0) {
        if (!region_is_ready(region))
            status = region_next(region);
        if (status == 0)
            *block = region_take(region);
    }
    return status;
}

/* Where a region has no addresses left, the next one of the group takes over. */
static void *zone_take_group(struct zone *zone, unsigned group, size_t size, int is_stack)
{
    unsigned classes = group < ZONE_BLOCK ? REGION_PAGES + 1 : REGION_SMALL_CLASSES;
    if (size > ZONE_SMALL && group >= ZONE_BLOCK)
        return zone_take_large(zone, group, size, is_stack);
    for (unsigned class = region_class(size); class < classes; class ++) {
        void *block = NULL;
        unsigned number = REGION_FIRST(group) + class;
        int status = zone_take_in(zone, number, size, &block);
        if (status == 0)
            return zone_hand_out(zone, region_get(zone, number), block, size);
        if (status != REGION_FULL)
            return NULL;
    }
    return NULL;
}

/* The next object of this group has a place that is wanted. */
static void *zone_take_wanted(struct zone *zone, unsigned group, size_t size)
{
    uint64_t place = zone->wanted[group];
    zone->wanted[group] = PLACES_NONE;
    unsigned rest = 0;
    for (int i = 0; i < 4; i++)
        rest |= zone->wanted[i] != PLACES_NONE;
    if (rest == 0)
        zone->special &= ~(unsigned)ZONE_WANTS;
    if (place == PLACES_OWN)
        return zone_take_group(zone, ZONE_OWN, size, 0);
    void *block = places_take(zone, place, region_class(size), size);
    if (block == NULL) {
        zone->missed++;
        return NULL;
    }
    return zone_hand_out(zone, region_get(zone, places_region(place)), block, size);
}

static unsigned zone_group_of(size_t kind, size_t size)
{
    if (kind >= LUA_TTABLE && kind <= LUA_TTHREAD)
        return ZONE_TABLE + (unsigned)(kind - LUA_TTABLE);
    if (kind == LUA_TSTRING)
        return size == ZONE_LONGEST_SHORT ? ZONE_OTHER : ZONE_STRING;
    return kind == ZONE_UPVALUE_KIND || kind == ZONE_PROTOTYPE_KIND ? ZONE_OTHER : ZONE_BLOCK;
}

/* ---------------------------------------------------------------- the longer ways */

REGION_APART static void *zone_take_slowly(struct zone *zone, size_t kind, size_t size)
{
    unsigned special = zone->special, group = zone_group_of(kind, size);
    if ((special & ZONE_PLAIN) != 0)
        return malloc(size);
    zone_settle(zone);
    int is_stack = (special & ZONE_STACK) != 0 && group == ZONE_BLOCK;
    zone->special &= ~(unsigned)ZONE_STACK;
    if (group == ZONE_THREAD)
        zone->special |= ZONE_STACK;
    if ((special & ZONE_WANTS) != 0 && group < ZONE_BLOCK && zone->wanted[group] != PLACES_NONE) {
        void *block = zone_take_wanted(zone, group, size);
        if (block != NULL)
            return block;
    }
    if ((special & ZONE_IS_OWN) != 0 || is_stack ||
        ((special & ZONE_OWNS_BLOCKS) != 0 && group == ZONE_BLOCK))
        group = ZONE_OWN;
    return zone_take_group(zone, group, size, is_stack);
}

REGION_APART static void zone_give_slowly(struct zone *zone, void *block, size_t size)
{
    if ((zone->special & ZONE_PLAIN) != 0) {
        free(block);
        return;
    }
    uintptr_t distance = (uintptr_t)block - zone->base;
    if (distance >= REGION_END) {
        zone_give_large(zone, block);
        return;
    }
    zone_settle(zone);
    struct region *region = region_of(zone, distance);
    if (region->word == UINT32_MAX) {
        REGION_POISON(block, zone_pages(size) * REGION_PAGE);
        region_give_row(region, region_cell(region, distance, block), (uint32_t)zone_pages(size));
    } else {
        region_give(region, distance, block);
    }
}

static inline void zone_give(struct zone *zone, void *block, size_t size)
{
    uintptr_t distance = (uintptr_t)block - zone->base;
    if (REGION_LIKELY(zone->special == 0 && size <= ZONE_SMALL && distance < REGION_END)) {
        region_give(region_of(zone, distance), distance, block);
    } else {
        zone_give_slowly(zone, block, size);
    }
}

static void *zone_move(struct zone *zone, unsigned group, void *block, size_t old_size,
                       size_t new_size)
{
    void *moved = zone_take_group(zone, group, new_size, 0);
    if (moved == NULL) /* Lua counts on it that shrinking works: a block may be too large */
        return new_size < old_size && group >= ZONE_BLOCK ? block : NULL;
    memcpy(moved, block, old_size < new_size ? old_size : new_size);
    zone_give(zone, block, old_size);
    return moved;
}

/* Lua resizes blocks without a kind only; objects would lose their place. */
REGION_APART static void *zone_resize(struct zone *zone, void *block, size_t old_size,
                                      size_t new_size)
{
    if ((zone->special & ZONE_PLAIN) != 0)
        return realloc(block, new_size);
    zone_settle(zone);
    uintptr_t distance = (uintptr_t)block - zone->base;
    if (distance >= REGION_END) {
        if (new_size > ZONE_SMALL)
            return zone_resize_large(zone, block, new_size);
        return zone_move(zone, zone_header(block)->group, block, old_size, new_size);
    }
    const struct region *region = region_of(zone, distance);
    if (new_size <= region->size && new_size + ZONE_STEP > region->size) {
        REGION_POISON(block, region->size);
        REGION_UNPOISON(block, new_size);
        return block;
    }
    return zone_move(zone, region->group, block, old_size, new_size);
}

void *zone_alloc(void *context, void *block, size_t old_size, size_t new_size)
{
    struct zone *zone = context;
    if (block != NULL) {
        if (new_size != 0)
            return zone_resize(zone, block, old_size, new_size);
        zone_give(zone, block, old_size);
        return NULL;
    }
    if (REGION_LIKELY(zone->special == 0 && new_size - 1 < ZONE_SMALL && old_size < REGION_KINDS &&
                      new_size != ZONE_LONGEST_SHORT)) {
        const struct region_index *index = region_index(zone->base);
        struct region *region = &zone->regions[index->kinds[old_size][(new_size - 1) / ZONE_STEP]];
        if (REGION_LIKELY(region_is_ready(region))) {
            block = region_take(region);
            REGION_UNPOISON(block, new_size);
            return zone_count(zone, region->sort, region->weight * ZONE_STEP, block);
        }
    }
    return new_size == 0 ? NULL : zone_take_slowly(zone, old_size, new_size);
}

/* ---------------------------------------------------------------- life */

int zone_own(struct zone *zone, int owner)
{
    static const unsigned bits[] = {0, ZONE_IS_OWN, ZONE_OWNS_BLOCKS};
    int before = ZONE_SCRIPTS;
    if (zone == NULL)
        return before;
    if ((zone->special & ZONE_IS_OWN) != 0)
        before = ZONE_HOSTS;
    else if ((zone->special & ZONE_OWNS_BLOCKS) != 0)
        before = ZONE_HOSTS_BLOCKS;
    zone->special &= ~(unsigned)(ZONE_IS_OWN | ZONE_OWNS_BLOCKS);
    zone->special |= bits[owner];
    return before;
}

void zone_set_wanting(struct zone *zone, int wanting)
{
    if (wanting)
        zone->special |= ZONE_WANTS;
    else
        zone->special &= ~(unsigned)ZONE_WANTS;
}

/* Bytes that the machine has. */
static uint64_t zone_memory(void)
{
    struct sysinfo info;
    return sysinfo(&info) == 0 ? (uint64_t)info.totalram * info.mem_unit : UINT32_MAX;
}

void zone_open(struct zone *zone, int plain)
{
    memset(zone, 0, sizeof *zone);
    for (int i = 0; i < 4; i++)
        zone->wanted[i] = PLACES_NONE;
    zone_restart(zone);
    zone->most = zone_memory();
    if (!plain)
        zone->base = region_map_base(&zone->where);
    if (zone->base == 0)
        zone->special = ZONE_PLAIN;
    else
        zone->regions = (struct region *)(zone->base + REGION_START);
}

void zone_close(struct zone *zone)
{
    if (zone->regions != NULL)
        region_unmap_all(zone->base);
    free(zone->phantoms);
    memset(zone, 0, sizeof *zone);
}
