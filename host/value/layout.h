/*
 * How a table lies in memory: which entry is in which place. It decides in which order `next` and
 * `pairs` give the keys, now and after any later changes, and where the length operator finds a
 * border. host/exact knows tables from inside; the encoder and the decoder only carry what it says.
 *
 * A table has an array part, places for the keys 1, 2, ..., and a hash part, a power of 2 of
 * places, or none. In the hash part places that depend on each other are linked, and an entry that
 * was removed keeps its place: as long as the collector has not been there with its key, then
 * without.
 */
#ifndef CKPTLUA_VALUE_LAYOUT_H
#define CKPTLUA_VALUE_LAYOUT_H

#include <stdint.h>

#include <lua.h>

#include "value/walker.h"

enum layout_state { LAYOUT_FREE, LAYOUT_REMOVED, LAYOUT_ENTRY };

struct layout_place {
    uint8_t state; /* enum layout_state */
    int32_t next;  /* the place that is linked to this one, relative; 0: none */
};

enum { LAYOUT_NO_LIMIT = -1, LAYOUT_ALIASES = 4, LAYOUT_NUMBERS = 64 };

/* Numbers of one kind, in places that follow each other. */
struct layout_numbers {
    int are_floats;
    union {
        lua_Integer integers[LAYOUT_NUMBERS];
        lua_Number floats[LAYOUT_NUMBERS];
    } u;
};

struct layout {
    uint32_t array, hash; /* places */
    uint32_t entries;     /* of the hash part */
    uint32_t removed;
    uint32_t last_free; /* no place of the hash part from this one on is free */
    int64_t limit;  /* where the length operator begins to search, or LAYOUT_NO_LIMIT: at the end
                       of the array part */
    int by_address; /* the place of a key depends on its address */
};

/* Looking at the table at index. Script code that runs between two calls may change it, so a place
 * that is not there any more is LAYOUT_FREE, or nil. */
struct layout_writer {
    void (*sizes)(lua_State *L, int table, uint32_t *array, uint32_t *hash);
    void (*look)(lua_State *L, int table, struct layout *layout);
    /* As walker_count. */
    void (*count)(lua_State *L, int table, struct walker_counts *counts);
    /* Pushes the value in a place of the array part. Returns its type. */
    int (*value)(lua_State *L, int table, uint32_t place);
    /* Tells the numbers of one kind that are in `most` places of the array part, and that begin
     * with the one in this place. Returns how many there are, LAYOUT_NUMBERS at most; 0: it is
     * none. */
    uint32_t (*numbers)(lua_State *L, int table, uint32_t place, uint32_t most,
                        struct layout_numbers *numbers);
    struct layout_place (*place)(lua_State *L, int table, uint32_t place);
    /* Pushes key and value of an entry. Returns 0, and pushes nothing, where there is none. */
    int (*entry)(lua_State *L, int table, uint32_t place);
    /* Has the processor fetch what an entry will need; tells the addresses by which a map knows its
     * key and value, NULL for what is no object. */
    void (*fetch_entry)(lua_State *L, int table, uint32_t place, const void *addresses[2]);
    /* The key of a removed entry: pushes it, or pushes nil and returns the address that is left of
     * it, which another object may have by now. */
    const void *(*removed)(lua_State *L, int table, uint32_t place);
    /* The addresses by which a map may know the object that was, or is, at that one (names.h, and
     * of a string that of its text). */
    void (*aliases)(const void *address, const void *aliases[LAYOUT_ALIASES]);
    /* Calls `found` for each short string that is alive, with its address and with it on top. */
    void (*strings)(lua_State *L, void (*found)(lua_State *L, void *context, const void *address),
                    void *context);
};

/* Making a table so. Nothing that a snapshot says is relied upon. */
struct layout_reader {
    void *context;
    /* Whether the key at index, an object, has the address that it had. NULL: none has. */
    int (*is_there)(lua_State *L, const void *context, int key);
    void (*sizes)(lua_State *L, int table, uint32_t *array, uint32_t *hash);
    /* Puts the key and the value on top into a free place of a new table, and pops them. */
    void (*put)(lua_State *L, int table, uint32_t place);
    /* All entries are there. Returns NULL, or what is wrong with the layout. */
    const char *(*link)(lua_State *L, int table, const struct layout *layout,
                        const struct layout_place *places);
    /* The entries cannot stay in these places: Lua puts them into others. Appends their keys to the
     * list at index, in the order that they had. */
    void (*unlay)(lua_State *L, int table, int keys);
    /* Gives a removed entry of the table its key, which is on top, and pops it. dead: the collector
     * has been there. */
    const char *(*remove)(lua_State *L, int table, uint32_t place, int dead);
    /* What is in two tables changes places; metatables do not. */
    void (*exchange)(lua_State *L, int one, int other);
};

#endif
