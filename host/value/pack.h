/*
 * msgpack out: tokens go through a buffer into a sink. The mirror of unpack.h.
 */
#ifndef CKPTLUA_VALUE_PACK_H
#define CKPTLUA_VALUE_PACK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <lua.h>
#include <msgpack.h>

enum { PACK_BUFFER = 4 * 1024 };

/* The longest string in one piece; longer ones are split, so that no length reaches 2^32. */
#define PACK_CHUNK ((size_t)1 << 30)

/* Where the bytes go. write returns 0, or a negative code: nothing is written after that. */
struct sink {
    int (*write)(void *context, const void *data, size_t size);
    void *context;
};

struct pack {
    msgpack_packer packer; /* for msgpack_pack_* */
    struct sink sink;
    int status; /* 0, or the first failure of the sink */
    size_t used;
    unsigned char buffer[PACK_BUFFER];
};

/* Pushes a userdata that holds a new one. */
struct pack *pack_new(lua_State *L, const struct sink *sink);

/* Hands what is buffered to the sink. Returns pack->status. */
int pack_flush(struct pack *pack);

/* The same bytes as msgpack_pack_nil, _true or _false, _array, _map, _int64, _double and _ext
 * with 4 or 8 bytes, at a fraction of the cost, since nothing is called for each piece. */
void pack_nil(struct pack *pack);
void pack_boolean(struct pack *pack, int value);
void pack_array(struct pack *pack, uint32_t count);
void pack_map(struct pack *pack, uint32_t pairs);
void pack_integer(struct pack *pack, int64_t integer);
void pack_float(struct pack *pack, double number);
void pack_integers(struct pack *pack, const lua_Integer *integers, size_t count);
void pack_floats(struct pack *pack, const lua_Number *numbers, size_t count);
void pack_extension(struct pack *pack, int8_t type, const void *data, size_t size);

/* A Lua string: str if it is valid UTF-8, else bin; above PACK_CHUNK an array of
 * ["string", chunk, chunk, ...]. */
void pack_string(struct pack *pack, const char *data, size_t size);

/* Numbers of `width` bytes as [width, size, chunk, ...]: chunks of at most PACK_CHUNK bytes,
 * straight from where they are. */
void pack_block(struct pack *pack, const void *data, size_t size, int width);

/* A text that is known to be valid UTF-8. Most are short, and known when this is compiled. */
void pack_long_text(struct pack *pack, const char *text, size_t size);
static inline void pack_text(struct pack *pack, const char *text)
{
    size_t size = strlen(text);
    if (size < 32 && size < PACK_BUFFER - pack->used) {
        pack->buffer[pack->used] = (unsigned char)(0xA0 | size);
        memcpy(pack->buffer + pack->used + 1, text, size);
        pack->used += size + 1;
    } else {
        pack_long_text(pack, text, size);
    }
}

#endif
