#include "zone/places.h"

#include <stdlib.h>
#include <string.h>

#include <lua.h>

#include "zone/region.h"

_Static_assert((int)PLACES_STEP == (int)REGION_PLACED,
               "a place tells a region of the kinds with places");

/* The region that addresses within region `number` belong to. */
static unsigned places_normal(unsigned number)
{
    unsigned class = number % REGION_CLASSES;
    return number<REGION_PLACED &&class> REGION_PAGES ? number - class + REGION_PAGES : number;
}

/* The region of a place, in use or not; NULL if there is no such region. */
static struct region *places_open_region(struct zone *zone, uint64_t place)
{
    unsigned number = places_region(place);
    if (zone->regions == NULL || places_normal(number) != number)
        return NULL;
    if (region_get(zone, number)->size == 0 && region_open(zone->base, number) != 0)
        return NULL;
    return region_get(zone, number);
}

uint64_t places_of(const struct zone *zone, const void *object)
{
    uintptr_t distance = (uintptr_t)object - zone->base;
    if (zone->regions == NULL || distance < REGION_CORE_START || distance >= REGION_END)
        return PLACES_NONE;
    const struct region *region = region_of(zone, distance);
    if (region->size == 0 || region->number >= REGION_PLACED)
        return PLACES_NONE;
    return (uint64_t)region_cell(region, distance, object) * PLACES_STEP + region->number;
}

void *places_address(struct zone *zone, uint64_t place)
{
    const struct region *region = places_open_region(zone, place);
    if (region == NULL || !region_has(region, place / PLACES_STEP))
        return NULL;
    return region_address(region, place / PLACES_STEP);
}

int places_kind(uint64_t place)
{
    return LUA_TTABLE + (int)(places_region(place) / REGION_CLASSES);
}

uint64_t places_cells(uint64_t place, size_t size)
{
    if (places_region(place) % REGION_CLASSES != REGION_PAGES || size <= REGION_PAGE)
        return 1;
    return ((uint64_t)size + REGION_PAGE - 1) / REGION_PAGE;
}

/* ---------------------------------------------------------------- wishes */

void places_want(struct zone *zone, uint64_t place)
{
    const struct region *region = places_open_region(zone, place);
    uint64_t cell = place / PLACES_STEP;
    if (region == NULL || (!region_is_within_reach(region, cell) &&
                           (cell >= zone->most / region->size || !region_has(region, cell))))
        return;
    zone->wanted[places_region(place) / REGION_CLASSES] = place;
    zone_set_wanting(zone, 1);
}

void places_want_own(struct zone *zone, int kind)
{
    if (zone->regions == NULL)
        return;
    zone->wanted[kind - LUA_TTABLE] = PLACES_OWN;
    zone_set_wanting(zone, 1);
}

void places_want_none(struct zone *zone)
{
    for (int i = 0; i < 4; i++)
        zone->wanted[i] = PLACES_NONE;
    zone_set_wanting(zone, 0);
}

void *places_take(struct zone *zone, uint64_t place, unsigned class, size_t size)
{
    struct region *region = places_open_region(zone, place);
    uint64_t count = class == REGION_PAGES ? (size + REGION_PAGE - 1) / REGION_PAGE : 1;
    if (region == NULL || places_region(place) % REGION_CLASSES != class ||
        region_claim(region, place / PLACES_STEP, count) != 0)
        return NULL;
    return region_address(region, place / PLACES_STEP);
}

/* ---------------------------------------------------------------- what is in use */

int places_next(struct zone *zone, struct places_walk *walk, struct places_range *range)
{
    for (unsigned number = places_region(walk->next); number < REGION_PLACED; number++) {
        struct region *region = zone->regions == NULL ? NULL : region_get(zone, number);
        if (region == NULL || region->size == 0 || places_normal(number) != number) {
            walk->next = number + 1;
            continue;
        }
        const uint64_t *marks = walk->marks == NULL ? NULL : walk->marks->words[number];
        region_sync(region);
        uint64_t room = (uint64_t)region->words * 64;
        uint64_t cell = region_next_used(region, marks, walk->next / PLACES_STEP);
        if (cell < room) {
            uint64_t end = region_end_used(region, marks, cell, room);
            *range = (struct places_range){cell * PLACES_STEP + number, end - cell};
            walk->next = end * PLACES_STEP + number;
            return 1;
        }
        walk->next = number + 1;
    }
    walk->next = PLACES_STEP - 1; /* a region that is none */
    return 0;
}

int places_open_marks(struct zone *zone, struct places_marks *marks)
{
    memset(marks, 0, sizeof *marks);
    for (unsigned number = 0; zone->regions != NULL && number < REGION_PLACED; number++) {
        const struct region *region = region_get(zone, number);
        if (region->live == 0 || places_normal(number) != number)
            continue;
        marks->words[number] = calloc(region->words, sizeof *marks->words[number]);
        if (marks->words[number] == NULL) {
            places_close_marks(marks);
            return -1;
        }
    }
    return 0;
}

void places_close_marks(struct places_marks *marks)
{
    for (unsigned number = 0; number < REGION_PLACED; number++)
        free(marks->words[number]);
    memset(marks, 0, sizeof *marks);
}

int places_mark(const struct zone *zone, struct places_marks *marks, const void *object,
                size_t size)
{
    return places_mark_place(marks, places_of(zone, object), size);
}

int places_mark_place(struct places_marks *marks, uint64_t place, size_t size)
{
    unsigned number = places_region(place);
    if (place == PLACES_NONE || marks->words[number] == NULL)
        return -1;
    uint64_t cell = place / PLACES_STEP, count = places_cells(place, size);
    if ((marks->words[number][cell / 64] >> cell % 64 & 1) != 0)
        return -1;
    for (; count > 0; count--, cell++)
        marks->words[number][cell / 64] |= (uint64_t)1 << cell % 64;
    return 0;
}

void places_mark_range(struct places_marks *marks, const struct places_range *range)
{
    uint64_t *words = marks->words[places_region(range->first)];
    uint64_t cell = range->first / PLACES_STEP, end = cell + range->count;
    for (; words != NULL && cell < end; cell++)
        words[cell / 64] |= (uint64_t)1 << cell % 64;
}

/* ---------------------------------------------------------------- phantoms */

struct places_phantom {
    struct places_range range;
    int longer;
};

static int places_make_room(struct zone *zone)
{
    if (zone->phantoms_count < zone->phantoms_room)
        return 0;
    size_t room = zone->phantoms_room == 0 ? 16 : 2 * zone->phantoms_room;
    struct places_phantom *more = realloc(zone->phantoms, room * sizeof *more);
    if (more == NULL)
        return -1;
    zone->phantoms = more;
    zone->phantoms_room = room;
    return 0;
}

static int places_hold_for(struct zone *zone, const struct places_range *range, int longer)
{
    struct region *region = places_open_region(zone, range->first);
    if (region == NULL || places_make_room(zone) != 0)
        return -1;
    uint64_t cell = range->first / PLACES_STEP, most = zone->most / region->size;
    if (cell > most || range->count > most - cell ||
        zone->held + range->count * region->size > zone->most ||
        region_claim(region, cell, range->count) != 0)
        return -1;
    zone->held += range->count * region->size;
    zone->phantoms[zone->phantoms_count++] = (struct places_phantom){*range, longer};
    return 0;
}

int places_hold(struct zone *zone, const struct places_range *range)
{
    return places_hold_for(zone, range, 0);
}

int places_hold_longer(struct zone *zone, const struct places_range *range)
{
    return places_hold_for(zone, range, 1);
}

int places_next_longer(const struct zone *zone, size_t *from, struct places_range *range)
{
    for (; *from < zone->phantoms_count; ++*from)
        if (zone->phantoms[*from].longer) {
            *range = zone->phantoms[(*from)++].range;
            return 1;
        }
    return 0;
}

void places_release(struct zone *zone)
{
    size_t kept = 0;
    for (size_t i = 0; i < zone->phantoms_count; i++) {
        const struct places_range *range = &zone->phantoms[i].range;
        struct region *region;
        if (zone->phantoms[i].longer) {
            zone->phantoms[kept++] = (struct places_phantom){*range, 0};
            continue;
        }
        region = region_get(zone, places_region(range->first));
        zone->held -= range->count * region->size;
        region_give_row(region, (uint32_t)(range->first / PLACES_STEP), (uint32_t)range->count);
    }
    zone->phantoms_count = kept;
    if (kept > 0)
        return;
    free(zone->phantoms);
    zone->phantoms = NULL;
    zone->phantoms_room = 0;
}
