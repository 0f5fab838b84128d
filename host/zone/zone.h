/*
 * The memory of a Lua state: an allocator whose addresses are a function of what is asked of it.
 *
 * Each kind of object has a region of the address space for each of its size classes. A region is
 * an array of cells of one size, and a new object gets the *lowest free cell*, always. So the whole
 * state of the allocator is the set of occupied cells: a process in which the same cells are
 * occupied gives the same addresses from there on. The regions lie in a zone that begins at the
 * same address in every process.
 *
 * What is promised: the addresses of tables, functions, userdata and threads (the first block of
 * the state, which holds the main thread, is one). Strings, arrays and all the rest are not in the
 * same places, as the host allocates such blocks too; as far as they are small they have regions of
 * the same make, of which the cell that was freed last is taken first.
 *
 * Limits: one thread at a time. A zone grows by mapping what it needs, nothing is reserved. Where
 * another one, or something else, has taken its place, it begins elsewhere, at an address with the
 * same low 32 bits: tables hash these only, so that their order is as promised, %p is not
 * (ZONE_ELSEWHERE). Where no such place is free, or by choice, all comes from malloc
 * (ZONE_NOWHERE); then nothing is promised or counted. AddressSanitizer finds more in memory from
 * malloc; in a zone free cells are poisoned.
 *
 * Memory is given back to the system when three quarters of the cells that were in use at one time
 * are free; large regions ask for huge pages. When the system has no memory left NULL is returned,
 * upon which Lua collects its garbage and asks again.
 *
 * Of Lua this knows the protocol of lua_Alloc: a new object's kind is told as the old size. Which
 * cells are occupied, and where the next object shall go: places.h.
 */
#ifndef CKPTLUA_ZONE_ZONE_H
#define CKPTLUA_ZONE_ZONE_H

#include <stddef.h>
#include <stdint.h>

/* Blocks of up to ZONE_SMALL bytes have classes in steps of ZONE_STEP. */
enum { ZONE_STEP = 16, ZONE_SMALL = 512 };

enum zone_where { ZONE_NOWHERE, ZONE_ELSEWHERE, ZONE_HOME };

/* What is told apart. The first four have places (places.h). */
enum zone_group {
    ZONE_TABLE,
    ZONE_FUNCTION,
    ZONE_USERDATA,
    ZONE_THREAD,
    ZONE_BLOCK, /* no kind: arrays and nodes of tables, buffers, code */
    ZONE_STRING,
    ZONE_OTHER, /* upvalues, prototypes; strings of just 65 bytes, the longest short ones */
    ZONE_OWN,   /* what the host has made for itself (zone_own), and stacks */
    ZONE_GROUPS
};

/*
 * Bytes are counted for whoever decides when to collect garbage. Counted is what is the same in
 * each run of a script, with saves or without, continued or not; functions twice, for their
 * upvalues, threads with 1 kB for their stack:
 */
enum zone_sort {
    ZONE_COUNTED, /* tables with their arrays and nodes, functions, userdata, threads, long strings
                   */
    ZONE_GUARDED, /* short strings, upvalues, prototypes: real memory, but not repeatable */
    ZONE_UNCOUNTED, /* stacks, calls (blocks of 49 to 64 bytes), ZONE_OWN */
    ZONE_SORTS
};

struct region;
struct places_phantom;

struct zone {
    /* For zone_alloc; all of it in one or two cache lines. */
    unsigned special; /* bits of enum zone_special: the next call is not an ordinary one */
    uintptr_t base;
    struct region *regions;      /* NULL: all comes from malloc */
    int64_t left[ZONE_SORTS];    /* until the limit is reached */
    int64_t limit[ZONE_SORTS];   /* bytes since the last zone_restart */
    uint64_t large[ZONE_GROUPS]; /* live bytes in blocks from malloc */
    void *last;                  /* a large block that may turn out to be a stack */
    uint64_t wanted[4];          /* place of the next object of each kind, or PLACES_NONE */
    uint64_t missed;             /* wanted places that could not be given */
    struct places_phantom *phantoms;
    size_t phantoms_count, phantoms_room;
    uint64_t most, held; /* bytes: of the machine's memory; of phantoms */
    void (*reached)(void *context, enum zone_sort sort);
    void *context;
    enum zone_where where;
};

/* Makes a zone of any memory. plain: all comes from malloc. Never fails. */
void zone_open(struct zone *zone, int plain);

/* After lua_close: nothing of the zone may be used any more. Of all zeros: does nothing. */
void zone_close(struct zone *zone);

/* A lua_Alloc; context is the zone. */
void *zone_alloc(void *context, void *block, size_t old_size, size_t new_size);

/* Whose is what is made from now on. The host's own has no place, and does not count; of blocks:
 * what is made may be the script's, but its arrays, as those of a function's code, do not count.
 * Returns what was set before, for setting it again. zone may be NULL: then nobody asks. */
enum zone_owner { ZONE_SCRIPTS, ZONE_HOSTS, ZONE_HOSTS_BLOCKS };
int zone_own(struct zone *zone, int owner);

/* Counts so many bytes as if they had been allocated. */
void zone_charge(struct zone *zone, enum zone_sort sort, uint64_t bytes);

/* Bytes allocated since the last zone_restart. */
uint64_t zone_since(const struct zone *zone, enum zone_sort sort);

/* Sets that number, and by it the distance to the limit: when a state is restored. */
void zone_set_since(struct zone *zone, enum zone_sort sort, uint64_t bytes);

/* A collection ends: counting begins anew, without limits. */
void zone_restart(struct zone *zone);

/* When this many bytes have been allocated since the last zone_restart, reached(context, sort) is
 * called, once, from within zone_alloc: it must not allocate or free by this zone, nor raise. It
 * may be too early, as a stack that has moved is told by what is freed behind it: look at
 * zone_since later. */
void zone_set_limit(struct zone *zone, enum zone_sort sort, uint64_t bytes);
void zone_on_limit(struct zone *zone, void (*reached)(void *context, enum zone_sort sort),
                   void *context);

/* For places.c: whether places are wanted. */
void zone_set_wanting(struct zone *zone, int wanting);

/* Bytes in use now, counted alike. Phantoms (places.h) are in use. */
uint64_t zone_live(const struct zone *zone, enum zone_sort sort);
uint64_t zone_live_group(const struct zone *zone, enum zone_group group);

/* The same of ZONE_COUNTED, but without strings. */
uint64_t zone_live_objects(const struct zone *zone);

#endif
