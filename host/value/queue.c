#include "value/queue.h"

#include <string.h>

#include <lauxlib.h>

/* Tables are in a chain of Lua tables of this many places, the next one behind them. */
enum { QUEUE_CHUNK = 100 };

/* Counts that no table has: the next piece. */
static const struct queue_counts queue_of_piece = {UINT32_MAX, UINT32_MAX, 0};

/* What has been read is given up when it is the larger part. */
enum { QUEUE_SLACK = 32 * 1024 };

int queue_put(struct queue_bytes *bytes, const void *data, size_t size)
{
    if (bytes->read > bytes->bytes.size / 2 + QUEUE_SLACK) {
        memmove(bytes->bytes.data, bytes->bytes.data + bytes->read,
                bytes->bytes.size - bytes->read);
        bytes->bytes.size -= bytes->read;
        bytes->read = 0;
    }
    return bytes_append(&bytes->bytes, data, size);
}

int queue_get(struct queue_bytes *bytes, void *data, size_t size)
{
    if (bytes->bytes.size - bytes->read < size)
        return 0;
    memcpy(data, bytes->bytes.data + bytes->read, size);
    bytes->read += size;
    if (bytes->read == bytes->bytes.size)
        bytes->read = bytes->bytes.size = 0;
    return 1;
}

static void queue_append(lua_State *L, struct queue_bytes *bytes, const void *data, size_t size)
{
    if (queue_put(bytes, data, size) != 0)
        luaL_error(L, "not enough memory");
}

void queue_open(lua_State *L, struct queue *queue)
{
    lua_createtable(L, QUEUE_CHUNK + 1, 0);
    lua_pushvalue(L, -1);
    queue->head = lua_gettop(L) - 1;
    queue->tail = lua_gettop(L);
    lua_pushnil(L);
    queue->spare = lua_gettop(L);
}

void queue_free(struct queue *queue)
{
    bytes_free(&queue->counts.bytes);
    bytes_free(&queue->pieces.bytes);
}

void queue_add_table(lua_State *L, struct queue *queue, int index,
                     const struct queue_counts *counts)
{
    if (queue->tail_at == QUEUE_CHUNK) {
        if (lua_isnil(L, queue->spare)) {
            lua_createtable(L, QUEUE_CHUNK + 1, 0);
        } else {
            lua_pushvalue(L, queue->spare);
            lua_pushnil(L);
            lua_replace(L, queue->spare);
        }
        lua_pushvalue(L, -1);
        lua_rawseti(L, queue->tail, QUEUE_CHUNK + 1);
        lua_replace(L, queue->tail);
        queue->tail_at = 0;
    }
    lua_pushvalue(L, index);
    lua_rawseti(L, queue->tail, ++queue->tail_at);
    queue_append(L, &queue->counts, counts, sizeof *counts);
}

void queue_add_piece(lua_State *L, struct queue *queue, const struct code_piece *piece)
{
    queue_append(L, &queue->pieces, piece, sizeof *piece);
    queue_append(L, &queue->counts, &queue_of_piece, sizeof queue_of_piece);
}

enum queue_next queue_take(lua_State *L, struct queue *queue, struct queue_counts *counts,
                           struct code_piece *piece)
{
    if (!queue_get(&queue->counts, counts, sizeof *counts))
        return QUEUE_END;
    if (counts->sequence == queue_of_piece.sequence && counts->others == queue_of_piece.others) {
        queue_get(&queue->pieces, piece, sizeof *piece);
        return QUEUE_PIECE;
    }
    if (queue->head_at == QUEUE_CHUNK) {
        lua_rawgeti(L, queue->head, QUEUE_CHUNK + 1);
        lua_pushvalue(L, queue->head);
        lua_replace(L, queue->spare);
        lua_replace(L, queue->head);
        queue->head_at = 0;
    }
    lua_rawgeti(L, queue->head, ++queue->head_at);
    if (queue->counts.bytes.size == 0) /* empty, so in the tail's chunk */
        queue->head_at = queue->tail_at = 0;
    return QUEUE_TABLE;
}
