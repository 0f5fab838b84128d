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
#include "value/queue.h"

/* Numbers in the map: 0 new; ENCODER_SPECIAL for an object with a description that was not written
 * yet; else the object's number, shifted, and the sequence it is from. */
enum { ENCODER_SPECIAL = 1, ENCODER_TABLE = 2, ENCODER_SHARED = 3, ENCODER_SHIFT = 2 };

/* A table with removed entries. */
struct record_removed {
    uint64_t number; /* of the table */
    uint32_t hash;   /* places */
};

struct encoder {
    struct pack *pack;
    const struct encode_options *options;
    const struct layout_writer *inside; /* looks into tables, or NULL */
    struct idmap map;
    int exact;
    int has_places; /* of objects are written */
    int has_savers; /* Lua code runs meanwhile, and may collect what is not held */
    lua_Integer held;
    uint64_t tables, shared; /* numbers given */
    struct queue queue;
    struct queue_bytes kept;            /* of encoder_keep */
    struct bytes removed;               /* struct record_removed, if layouts are written; */
    struct bytes removed_keys;          /* record.c */
    int removed_tables;                 /* stack index: the list of those tables */
    int root, roots;                    /* stack indices: the tables the search for a path
                                           starts from, or 0 */
    int registry, again, names, anchor; /* object -> description; what must not be freed */
    int sources[3], sources_count;      /* those with anything in them, the first counts */
    const struct idmap *named;          /* the objects in `names` */
    uint64_t savers_called;
    int walked;    /* the table whose entries are being written, or 0 */
    int marked;    /* whether a save function was called meanwhile; */
    uint64_t mark; /* encoder_keys of that table before it was */
};

/* Pushes what the encoder keeps on the stack. Its search for a path starts from the table at index
 * `root`. exact: the script is not started again, so nothing that it would define then is left out.
 */
struct encoder *encoder_start(lua_State *L, struct pack *pack, const struct encode_options *options,
                              int root, int exact);

/* All is written: gives its memory back, which the collector would do some time later. */
void encoder_end(struct encoder *encode);

/* Writes the value at the absolute index; its type being known; as a key of the table that is
 * walked. */
void encoder_value(lua_State *L, struct encoder *encode, int index);
void encoder_typed(lua_State *L, struct encoder *encode, int index, int type);
void encoder_key(lua_State *L, struct encoder *encode, int index);

/* Whether the object at the absolute index has been met, or is known by a name. */
int encoder_is_known(lua_State *L, struct encoder *encode, int index);

/* Announces the table at index as a new one, whatever is known of it, and adds it to the queue. */
void encoder_table(lua_State *L, struct encoder *encode, int index);

/* The entry of an address in the map; and a reference to what has that number there. */
struct idmap_entry *encoder_find(lua_State *L, struct encoder *encode, const void *address);
void encoder_reference(struct encoder *encode, uint64_t number);

/* Raises "PATH: " and the message on top, about the value at index. */
_Noreturn void encoder_refuse(lua_State *L, const struct encoder *encode, int index);

/* ---- What a piece (code.h) consists of. A record is begun with encoder_begin; then come the
 * values of the sequence, the number of the others, and their keys and values. */

void encoder_begin(struct encoder *encode, uint32_t sequence);

/* The next new table: gives it a number, and writes that it is met here; place: of a table of Lua,
 * else CODE_NO_PLACE. It, and the tables that
 * are announced after it, must be added to the queue in the same order. */
void encoder_announce(struct encoder *encode, uint32_t sequence, uint32_t others, uint64_t place);

/* Announces and adds the table that the piece stands for. */
void encoder_piece(lua_State *L, struct encoder *encode, const struct code_piece *piece);

/* Adds pieces that were announced, as one: it writes all their records. */
void encoder_add(lua_State *L, struct encoder *encode, const struct code_piece *piece);

/* The table of the object with that address: a reference to it, if it has been met before. */
void encoder_piece_of(lua_State *L, struct encoder *encode, const void *address,
                      const struct code_piece *piece);

/* The same, but it is a table of Lua: the one on top, which is popped. */
void encoder_table_of(lua_State *L, struct encoder *encode, const void *address);

/* Numbers that are needed again: they are taken in the order in which they were kept. */
void encoder_keep(lua_State *L, struct encoder *encode, uint32_t one, uint32_t other);
void encoder_take(struct encoder *encode, uint32_t *one, uint32_t *other);

/* What becomes of the save if the sink has failed: it raises. */
void encoder_check_sink(lua_State *L, const struct encoder *encode);

/* ---- */

/* Writes a string that is part of the layout, and so takes no number. */
void encoder_name(lua_State *L, struct encoder *encode, int index);

/* Entries of the table at index are about to be written, one after the other; all are written. A
 * table that a save function has changed meanwhile may have had some twice, and others not at all:
 * that is an error. */
void encoder_walk(struct encoder *encode, int table);
void encoder_walked(lua_State *L, struct encoder *encode);
int encoder_changed(lua_State *L);

#endif
