#include "value/unpack.h"

#include <string.h>

#include <lauxlib.h>

#include "base/bytes.h"

int unpack_fail(lua_State *L, const struct unpack *unpack, const char *what)
{
    lua_Integer byte = (lua_Integer)(unpack->source.size - unpack->left);
    lua_pushfstring(L, "%s at byte %I of the body", what, byte);
    return lua_error(L);
}

struct unpack *unpack_new(lua_State *L, const struct source *source)
{
    size_t room = source->size < UNPACK_BUFFER ? (size_t)source->size : UNPACK_BUFFER;
    struct unpack *unpack = lua_newuserdatauv(L, sizeof *unpack + room, 0);
    unpack->source = *source;
    unpack->room = room;
    unpack->status = 0;
    unpack->left = source->size;
    unpack->at = unpack->end = 0;
    return unpack;
}

static void unpack_failed(lua_State *L, struct unpack *unpack, int64_t got)
{
    unpack->status = got < 0 ? (int)got : -1;
    unpack_fail(L, unpack, got < 0 ? "reading failed" : "unexpected end");
}

/* Reads more into the buffer, whose unread bytes move to its front. */
static void unpack_fill(lua_State *L, struct unpack *unpack)
{
    size_t kept = unpack->end - unpack->at;
    memmove(unpack->buffer, unpack->buffer + unpack->at, kept);
    unpack->at = 0;
    unpack->end = kept;
    int64_t got =
        unpack->source.read(unpack->source.context, unpack->buffer + kept, unpack->room - kept);
    if (got <= 0)
        unpack_failed(L, unpack, got);
    unpack->end = kept + (size_t)got;
}

/* Takes `size` bytes, at most 16, all of them in the buffer. */
static inline const unsigned char *unpack_take(lua_State *L, struct unpack *unpack, size_t size)
{
    if (size > unpack->left)
        unpack_fail(L, unpack, "unexpected end");
    while (unpack->end - unpack->at < size)
        unpack_fill(L, unpack);
    const unsigned char *data = unpack->buffer + unpack->at;
    unpack->at += size;
    unpack->left -= size;
    return data;
}

static uint64_t unpack_unsigned(lua_State *L, struct unpack *unpack, unsigned width)
{
    const unsigned char *data = unpack_take(L, unpack, width);
    switch (width) {
    case 1:
        return data[0];
    case 2:
        return bytes_get_u16(data);
    case 4:
        return bytes_get_u32(data);
    default:
        return bytes_get_u64(data);
    }
}

/* The size of a string, container or extension, each of whose parts takes at least one byte. */
static void unpack_size(lua_State *L, struct unpack *unpack, struct unpack_token *token,
                        enum unpack_type type, uint64_t size)
{
    token->type = type;
    token->size = (uint32_t)size;
    if (size > unpack->left / (type == UNPACK_MAP ? 2 : 1))
        unpack_fail(L, unpack, "a length is more than what is left");
}

static void unpack_extension(lua_State *L, struct unpack *unpack, struct unpack_token *token,
                             uint64_t size)
{
    token->extension = (int8_t)unpack_take(L, unpack, 1)[0];
    unpack_size(L, unpack, token, UNPACK_EXTENSION, size);
}

static void unpack_integer(struct unpack_token *token, int64_t integer)
{
    token->type = UNPACK_INTEGER;
    token->value.integer = integer;
}

static void unpack_float(lua_State *L, struct unpack *unpack, struct unpack_token *token,
                         unsigned width)
{
    uint64_t bits = unpack_unsigned(L, unpack, width);
    token->type = UNPACK_FLOAT;
    if (width == 8) {
        memcpy(&token->value.number, &bits, sizeof bits);
    } else {
        uint32_t single_bits = (uint32_t)bits;
        float single;
        memcpy(&single, &single_bits, sizeof single);
        token->value.number = (double)single;
    }
}

static void unpack_long_form(lua_State *L, struct unpack *unpack, struct unpack_token *token,
                             unsigned char lead)
{
    static const unsigned char widths[] = {1, 2, 4, 8};
    switch (lead) {
    case 0xC0:
        token->type = UNPACK_NIL;
        return;
    case 0xC2:
    case 0xC3:
        token->type = UNPACK_BOOLEAN;
        token->value.integer = lead & 1;
        return;
    case 0xC4:
    case 0xC5:
    case 0xC6:
        unpack_size(L, unpack, token, UNPACK_BINARY,
                    unpack_unsigned(L, unpack, widths[lead - 0xC4]));
        return;
    case 0xC7:
    case 0xC8:
    case 0xC9:
        unpack_extension(L, unpack, token, unpack_unsigned(L, unpack, widths[lead - 0xC7]));
        return;
    case 0xCA:
    case 0xCB:
        unpack_float(L, unpack, token, widths[lead - 0xC8]);
        return;
    case 0xCC:
    case 0xCD:
    case 0xCE:
    case 0xCF: {
        uint64_t number = unpack_unsigned(L, unpack, widths[lead - 0xCC]);
        if (number > INT64_MAX)
            unpack_fail(L, unpack, "an integer beyond 2^63");
        unpack_integer(token, (int64_t)number);
        return;
    }
    case 0xD0:
        unpack_integer(token, (int8_t)unpack_unsigned(L, unpack, 1));
        return;
    case 0xD1:
        unpack_integer(token, (int16_t)unpack_unsigned(L, unpack, 2));
        return;
    case 0xD2:
        unpack_integer(token, (int32_t)unpack_unsigned(L, unpack, 4));
        return;
    case 0xD3:
        unpack_integer(token, (int64_t)unpack_unsigned(L, unpack, 8));
        return;
    case 0xD4:
    case 0xD5:
    case 0xD6:
    case 0xD7:
    case 0xD8:
        unpack_extension(L, unpack, token, (uint64_t)1 << (lead - 0xD4));
        return;
    case 0xD9:
    case 0xDA:
    case 0xDB:
        unpack_size(L, unpack, token, UNPACK_STRING,
                    unpack_unsigned(L, unpack, widths[lead - 0xD9]));
        return;
    case 0xDC:
    case 0xDD:
        unpack_size(L, unpack, token, UNPACK_ARRAY,
                    unpack_unsigned(L, unpack, widths[lead - 0xDB]));
        return;
    case 0xDE:
    case 0xDF:
        unpack_size(L, unpack, token, UNPACK_MAP, unpack_unsigned(L, unpack, widths[lead - 0xDD]));
        return;
    default:
        unpack_fail(L, unpack, "a byte that is not msgpack (0xC1)");
    }
}

void unpack_next(lua_State *L, struct unpack *unpack, struct unpack_token *token)
{
    unsigned char lead = unpack_take(L, unpack, 1)[0];
    if (lead < 0x80)
        unpack_integer(token, lead);
    else if (lead < 0x90)
        unpack_size(L, unpack, token, UNPACK_MAP, lead & 0x0F);
    else if (lead < 0xA0)
        unpack_size(L, unpack, token, UNPACK_ARRAY, lead & 0x0F);
    else if (lead < 0xC0)
        unpack_size(L, unpack, token, UNPACK_STRING, lead & 0x1F);
    else if (lead == 0xCB)
        unpack_float(L, unpack, token, 8); /* by far the most common of the long forms */
    else if (lead >= 0xE0)
        unpack_integer(token, (int8_t)lead);
    else
        unpack_long_form(L, unpack, token, lead);
}

uint32_t unpack_array(lua_State *L, struct unpack *unpack, uint32_t size)
{
    struct unpack_token token;
    unpack_next(L, unpack, &token);
    if (token.type != UNPACK_ARRAY || (size != UINT32_MAX && token.size != size))
        unpack_fail(L, unpack, "not the array that was expected");
    return token.size;
}

uint32_t unpack_map(lua_State *L, struct unpack *unpack)
{
    struct unpack_token token;
    unpack_next(L, unpack, &token);
    if (token.type != UNPACK_MAP)
        unpack_fail(L, unpack, "not the map that was expected");
    return token.size;
}

/* Moves `size` bytes to data, past the buffer where they are many. */
static void unpack_read(lua_State *L, struct unpack *unpack, char *data, size_t size)
{
    while (size > 0) {
        if (unpack->at == unpack->end && size >= unpack->room) {
            int64_t got = unpack->source.read(unpack->source.context, data, size);
            if (got <= 0)
                unpack_failed(L, unpack, got);
            unpack->left -= (uint64_t)got;
            data += got;
            size -= (size_t)got;
            continue;
        }
        if (unpack->at == unpack->end)
            unpack_fill(L, unpack);
        size_t part = unpack->end - unpack->at;
        if (part > size)
            part = size;
        memcpy(data, unpack->buffer + unpack->at, part);
        unpack->at += part;
        unpack->left -= part;
        data += part;
        size -= part;
    }
}

void unpack_bytes(lua_State *L, struct unpack *unpack, void *data, uint32_t size)
{
    char nowhere[1024];
    if (data != NULL) {
        unpack_read(L, unpack, data, size);
        return;
    }
    while (size > 0) {
        uint32_t part = size < sizeof nowhere ? size : (uint32_t)sizeof nowhere;
        unpack_read(L, unpack, nowhere, part);
        size -= part;
    }
}

void unpack_push_bytes(lua_State *L, struct unpack *unpack, uint32_t size)
{
    if (size <= unpack->end - unpack->at) {
        lua_pushlstring(L, (const char *)unpack->buffer + unpack->at, size);
        unpack->at += size;
        unpack->left -= size;
        return;
    }
    luaL_Buffer buffer;
    char *data = luaL_buffinitsize(L, &buffer, size);
    unpack_read(L, unpack, data, size);
    luaL_pushresultsize(&buffer, size);
}

void unpack_copy(lua_State *L, struct unpack *unpack, void *data, size_t size)
{
    memcpy(data, unpack_take(L, unpack, size), size);
}

void unpack_push_string(lua_State *L, struct unpack *unpack, const struct unpack_token *token)
{
    if (token->type == UNPACK_STRING || token->type == UNPACK_BINARY) {
        unpack_push_bytes(L, unpack, token->size);
        return;
    }
    if (token->type != UNPACK_ARRAY || token->size < 1)
        unpack_fail(L, unpack, "not the string that was expected");
    luaL_Buffer buffer;
    luaL_buffinit(L, &buffer);
    for (uint32_t i = 1; i < token->size; i++) {
        struct unpack_token chunk;
        unpack_next(L, unpack, &chunk);
        if (chunk.type != UNPACK_BINARY)
            unpack_fail(L, unpack, "not the piece of a string that was expected");
        char *data = luaL_prepbuffsize(&buffer, chunk.size);
        unpack_read(L, unpack, data, chunk.size);
        luaL_addsize(&buffer, chunk.size);
    }
    luaL_pushresult(&buffer);
}

int unpack_peek_integer(const unsigned char *bytes, size_t size, int64_t *value)
{
    unsigned char lead = size == 0 ? 0xC1 : bytes[0];
    if (lead < 0x80 || lead >= 0xE0) {
        *value = lead < 0x80 ? lead : lead - 0x100;
        return 1;
    }
    size_t width = (size_t)1 << (lead & 3);
    int is_signed = lead >= 0xD0;
    if (lead < 0xCC || lead > 0xD3 || size - 1 < width)
        return 0;
    uint64_t bits = is_signed && (bytes[1] & 0x80) != 0 ? UINT64_MAX : 0;
    for (size_t i = 1; i <= width; i++)
        bits = bits << 8 | bytes[i];
    *value = (int64_t)bits;
    return is_signed || bits <= INT64_MAX;
}
