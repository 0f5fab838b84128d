/*
 * The tables that were met and not written yet, first in, first out: tables of Lua, and pieces,
 * which are tables in the snapshot only (code.h).
 */
#ifndef CKPTLUA_VALUE_QUEUE_H
#define CKPTLUA_VALUE_QUEUE_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/bytes.h"
#include "value/code.h"

/* The sizes that a table is announced with (shape.h), and its number. */
struct queue_counts {
    uint32_t sequence, others;
    uint64_t number;
};

/* Bytes that are read in the order in which they were written. */
struct queue_bytes {
    struct bytes bytes;
    size_t read;
};

/* Begins as all zeros. */
struct queue {
    struct queue_bytes counts;        /* a struct queue_counts for each table and piece */
    struct queue_bytes pieces;        /* the pieces: struct code_piece */
    int head, tail, head_at, tail_at; /* stack indices of the chunks of tables, places in them */
    int spare;                        /* of a chunk that was used up, or of nil */
};

/* Pushes what the queue keeps on the stack. */
void queue_open(lua_State *L, struct queue *queue);
void queue_free(struct queue *queue);

/* Appends the table at index, and a piece; raise when out of memory. */
void queue_add_table(lua_State *L, struct queue *queue, int index,
                     const struct queue_counts *counts);
void queue_add_piece(lua_State *L, struct queue *queue, const struct code_piece *piece);

/* What is next in the queue: QUEUE_TABLE is pushed. */
enum queue_next { QUEUE_END, QUEUE_TABLE, QUEUE_PIECE };
enum queue_next queue_take(lua_State *L, struct queue *queue, struct queue_counts *counts,
                           struct code_piece *piece);

/* Returns 0, or a negative code when out of memory; and 0 where there are less. */
int queue_put(struct queue_bytes *bytes, const void *data, size_t size);
int queue_get(struct queue_bytes *bytes, void *data, size_t size);

#endif
