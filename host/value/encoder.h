/*
 * The encoder proper: values and the records of tables. What goes into a snapshot, and in which
 * order, is encode.c's business.
 */
#ifndef CKPTLUA_VALUE_ENCODER_H
#define CKPTLUA_VALUE_ENCODER_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/bytes.h"
#include "value/encode.h"
#include "value/idmap.h"

/* Numbers in the map: 0 new; ENCODER_SPECIAL for an object with a description that was not written
 * yet; else the object's number, shifted, and the sequence it is from. */
enum { ENCODER_SPECIAL = 1, ENCODER_TABLE = 2, ENCODER_SHARED = 3, ENCODER_SHIFT = 2 };

/* The queue is a chain of Lua tables of this many places, the next one behind them. */
enum { ENCODER_CHUNK = 1000 };

/* The sizes that a new table is announced with: of its sequence, and the number of its other
 * entries; or, if layouts are written, places of its array part and its hash part. */
struct encoder_counts {
    uint32_t sequence, others;
};

/* A table with removed entries. */
struct record_removed {
    uint64_t number; /* of the table */
    uint32_t hash;   /* places */
};

struct encoder {
    struct pack *pack;
    const struct encode_options *options;
    struct idmap map;
    int exact;
    int has_savers; /* Lua code runs meanwhile, and may collect what is not held */
    lua_Integer held;
    uint64_t tables, shared;                  /* numbers given */
    uint64_t recorded;                        /* tables whose records are written */
    struct bytes counts;                      /* struct encoder_counts of the tables in the queue */
    size_t counts_read;                       /* bytes of them that were used */
    struct bytes removed;                     /* struct record_removed, if layouts are written; */
    struct bytes removed_keys;                /* record.c */
    int kept;                                 /* the list of those tables */
    int root, roots;                          /* stack indices: the tables the search for a path */
    int head, tail, head_at, tail_at;         /* starts from, or 0; the queue's chunks */
    int late, registry, again, names, anchor; /* object -> description; what must not be freed */
    int spare;                                /* a chunk that was used up, or nil */
    int walked;                               /* the table whose entries are being written, or 0 */
    int marked;                               /* whether a save function was called meanwhile; */
    uint64_t mark;                            /* encoder_keys of that table before it was */
};

/* Pushes what the encoder keeps on the stack. Its search for a path starts from the table at index
 * `root`. exact: the script is not started again, so nothing that it would define then is left out.
 */
struct encoder *encoder_start(lua_State *L, struct pack *pack, const struct encode_options *options,
                              int root, int exact);

/* Writes the value at the absolute index; its type being known; as a key of the table that is
 * walked. */
void encoder_value(lua_State *L, struct encoder *encode, int index);
void encoder_typed(lua_State *L, struct encoder *encode, int index, int type);
void encoder_key(lua_State *L, struct encoder *encode, int index);

/* Announces the table at index as a new one, whatever is known of it, and appends it to the queue.
 */
void encoder_table(lua_State *L, struct encoder *encode, int index);

/* Takes the next table from the queue and pushes it; returns 0 where there is none. */
int encoder_dequeue(lua_State *L, struct encoder *encode, struct encoder_counts *counts);

/* The entry of an address in the map; and a reference to what has that number there. */
struct idmap_entry *encoder_find(lua_State *L, struct encoder *encode, const void *address);
void encoder_reference(struct encoder *encode, uint64_t number);

/* The address that an object is known by in the map. */
const void *encoder_address(lua_State *L, int index);

/* Raises "PATH: " and the message on top, about the value at index. */
int encoder_refuse(lua_State *L, const struct encoder *encode, int index);

/* Whether the object at the absolute index has been met, or is known by a name. */
int encoder_is_known(lua_State *L, struct encoder *encode, int index);

/* Writes a string that is part of the layout, and so takes no number. */
void encoder_name(lua_State *L, struct encoder *encode, int index);

/* Entries of the table at index are about to be written, one after the other; all are written. A
 * table that a save function has changed meanwhile may have had some twice, and others not at all:
 * that is an error. */
void encoder_walk(struct encoder *encode, int table);
void encoder_walked(lua_State *L, struct encoder *encode);
int encoder_changed(lua_State *L);

#endif
