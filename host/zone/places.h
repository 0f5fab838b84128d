/*
 * Places: where the objects of a zone are, as numbers that mean the same in each process; and how a
 * state is put back where it was.
 *
 * A place is a cell of a region: cell x 256 + region. An object that spans several cells (a large
 * userdata, in pages) is at the first one. Consecutive cells are 256 apart; PLACES_STEP.
 *
 * To save, nothing of the script running:
 *   - before anything else: zone_own(zone, 1), until the save has ended, so that what the host
 * makes takes no place;
 *   - for each table, function, userdata and thread that is saved: places_of, and places_mark with
 *     its size (0 will do where it is not larger than REGION_MIDDLE, 16 kB);
 *   - then walk over the ranges of what is in use and has no mark: garbage, which is saved as well,
 *     as ranges; zone_since of both sorts.
 * To restore:
 *   - make the state and its libraries as always. They repeat exactly: check that their objects are
 *     where they were, at their saved places;
 *   - zone_own(zone, 1). To make an object of the script: zone_own(zone, 0), places_want, the call
 *     that makes it, zone_own(zone, 1). A call may make other objects too: a wanted place is for
 *     the next object *of that kind*, whether zone_own is on or not, and places of several kinds
 *     may be wanted at once. Then compare its address with places_address: what could not be had
 *     was made elsewhere (zone->missed);
 *   - places_hold each range of garbage: phantoms, which nobody owns;
 *   - zone_set_since, and the limits. The collector must not have run since the beginning.
 *   - at the end of the next full collection, in which the original freed its garbage:
 *     places_release.
 *
 * Numbers from a file may be any: places_want, places_hold and places_address check them. Places
 * that would take more room than the machine has memory are none.
 */
#ifndef CKPTLUA_ZONE_PLACES_H
#define CKPTLUA_ZONE_PLACES_H

#include <stddef.h>
#include <stdint.h>

#include "zone/zone.h"

#define PLACES_NONE UINT64_MAX
#define PLACES_OWN (UINT64_MAX - 1) /* a wish: of places_want_own */
enum { PLACES_STEP = 256 };

struct places_range {
    uint64_t first; /* a place */
    uint64_t count; /* of cells from there */
};

/* Marks on objects, while a walk needs them. */
struct places_marks {
    uint64_t *words[PLACES_STEP];
};

struct places_walk {
    const struct places_marks *marks; /* may be NULL */
    uint64_t next;                    /* place */
};

/* The place of an object, or PLACES_NONE where it has none (the host's own, or no zone). */
uint64_t places_of(const struct zone *zone, const void *object);

/* The address of a place; NULL if there is no such place. Nothing need be there. */
void *places_address(struct zone *zone, uint64_t place);

/* The number of cells that an object of this size has, which is in that place. */
uint64_t places_cells(uint64_t place, size_t size);

/* The kind of object that has this place: LUA_TTABLE, LUA_TFUNCTION, LUA_TUSERDATA, LUA_TTHREAD. */
int places_kind(uint64_t place);

/* The next object of the place's kind is to be there. Where the place is in use, of another size
 * class or none at all, it is made as always and counted in zone->missed. PLACES_NONE and places
 * that are none are ignored. */
void places_want(struct zone *zone, uint64_t place);

/* The next object of this kind (LUA_TTABLE, ...) is the host's own: as by zone_own, but for one
 * that is made while the script runs, when an error may come in between. */
void places_want_own(struct zone *zone, int kind);

/* Takes back all wishes that are not fulfilled. */
void places_want_none(struct zone *zone);

/* Walks over what is in use, in ranges, ascending by region and cell. A walk begins as
 * {marks or NULL, 0}. places_next returns 0 at the end. Nothing may be allocated meanwhile. */
int places_next(struct zone *zone, struct places_walk *walk, struct places_range *range);

/* Makes room for marks. Returns 0, or -1 when out of memory. What is allocated later has none. */
int places_open_marks(struct zone *zone, struct places_marks *marks);
void places_close_marks(struct places_marks *marks);

/* Marks an object of this size in bytes. Returns 0, or -1 if it had its mark or has no place. */
int places_mark(const struct zone *zone, struct places_marks *marks, const void *object,
                size_t size);
int places_mark_place(struct places_marks *marks, uint64_t place, size_t size);

/* Marks cells that are in use, as places_next gave them. */
void places_mark_range(struct places_marks *marks, const struct places_range *range);

/* Occupies a range of free cells, as phantoms. Returns 0, or -1 (nothing is occupied then): no such
 * cells, in use, no memory. */
int places_hold(struct zone *zone, const struct places_range *range);

/* The same, for what the next collection does not free yet: it waits for a finalizer. */
int places_hold_longer(struct zone *zone, const struct places_range *range);

/* A collection has ended: frees phantoms. Those that were to be held longer are freed next time. */
void places_release(struct zone *zone);

/* Finds a phantom that is held longer, from number *from on, and sets that to the next one's.
 * Returns 0 at the end. */
int places_next_longer(const struct zone *zone, size_t *from, struct places_range *range);

/* ---------------------------------------------------------------- for zone.c */

/* Takes that place if it is free and of this size class. Returns its address or NULL. */
void *places_take(struct zone *zone, uint64_t place, unsigned class, size_t size);

/* The region of a place. */
static inline unsigned places_region(uint64_t place)
{
    return (unsigned)(place % PLACES_STEP);
}

#endif
