#include "value/pack.h"

#include <string.h>

#include "base/bytes.h"

static int pack_pass_on(struct pack *pack, const void *data, size_t size)
{
    if (pack->status == 0)
        pack->status = pack->sink.write(pack->sink.context, data, size);
    return pack->status;
}

int pack_flush(struct pack *pack)
{
    size_t used = pack->used;
    pack->used = 0;
    return used == 0 ? pack->status : pack_pass_on(pack, pack->buffer, used);
}

static int pack_append(void *context, const char *data, size_t size)
{
    struct pack *pack = context;
    if (size > PACK_BUFFER - pack->used) {
        pack_flush(pack);
        if (size >= PACK_BUFFER)
            return pack_pass_on(pack, data, size);
    }
    memcpy(pack->buffer + pack->used, data, size);
    pack->used += size;
    return 0;
}

/* Room for `size` bytes, at most 32, that are to be filled. */
static inline unsigned char *pack_take(struct pack *pack, size_t size)
{
    if (size > PACK_BUFFER - pack->used)
        pack_flush(pack);
    unsigned char *room = pack->buffer + pack->used;
    pack->used += size;
    return room;
}

/* A lead byte, and a number behind it in 1, 2, 4 or 8 bytes. */
static void pack_long_form(struct pack *pack, unsigned char lead, uint64_t number, unsigned width)
{
    unsigned char *room = pack_take(pack, 1 + width);
    *room++ = lead;
    switch (width) {
    case 1:
        *room = (unsigned char)number;
        break;
    case 2:
        bytes_put_u16(room, (uint16_t)number);
        break;
    case 4:
        bytes_put_u32(room, (uint32_t)number);
        break;
    default:
        bytes_put_u64(room, number);
    }
}

void pack_nil(struct pack *pack)
{
    *pack_take(pack, 1) = 0xC0;
}

void pack_boolean(struct pack *pack, int value)
{
    *pack_take(pack, 1) = value ? 0xC3 : 0xC2;
}

/* The head of an array or map: `small` with a count below 16, `wide` with one of 16 bits, and the
 * lead byte behind that with one of 32. */
static void pack_head(struct pack *pack, unsigned char small, unsigned char wide, uint32_t count)
{
    if (count < 16)
        *pack_take(pack, 1) = (unsigned char)(small | count);
    else if (count <= UINT16_MAX)
        pack_long_form(pack, wide, count, 2);
    else
        pack_long_form(pack, (unsigned char)(wide + 1), count, 4);
}

void pack_array(struct pack *pack, uint32_t count)
{
    pack_head(pack, 0x90, 0xDC, count);
}

void pack_map(struct pack *pack, uint32_t pairs)
{
    pack_head(pack, 0x80, 0xDE, pairs);
}

void pack_integer(struct pack *pack, int64_t integer)
{
    uint64_t bits = (uint64_t)integer;
    if (integer >= -32 && integer <= INT8_MAX)
        *pack_take(pack, 1) = (unsigned char)bits;
    else if (integer > 0 && integer <= UINT8_MAX)
        pack_long_form(pack, 0xCC, bits, 1);
    else if (integer > 0 && integer <= UINT16_MAX)
        pack_long_form(pack, 0xCD, bits, 2);
    else if (integer > 0 && integer <= UINT32_MAX)
        pack_long_form(pack, 0xCE, bits, 4);
    else if (integer > 0)
        pack_long_form(pack, 0xCF, bits, 8);
    else if (integer >= INT8_MIN)
        pack_long_form(pack, 0xD0, bits, 1);
    else if (integer >= INT16_MIN)
        pack_long_form(pack, 0xD1, bits, 2);
    else if (integer >= INT32_MIN)
        pack_long_form(pack, 0xD2, bits, 4);
    else
        pack_long_form(pack, 0xD3, bits, 8);
}

void pack_float(struct pack *pack, double number)
{
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    unsigned char *room = pack_take(pack, 9);
    room[0] = 0xCB;
    bytes_put_u64(room + 1, bits);
}

void pack_integers(struct pack *pack, const lua_Integer *integers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pack_integer(pack, integers[i]);
}

void pack_floats(struct pack *pack, const lua_Number *numbers, size_t count)
{
    for (size_t i = 0; i < count; i++)
        pack_float(pack, numbers[i]);
}

void pack_extension(struct pack *pack, int8_t type, const void *data, size_t size)
{
    unsigned char *room = pack_take(pack, 2 + size);
    room[0] = size == 4 ? 0xD6 : size == 8 ? 0xD7 : 0xD8; /* 4, 8 or 16 bytes */
    room[1] = (unsigned char)type;
    memcpy(room + 2, data, size);
}

struct pack *pack_new(lua_State *L, const struct sink *sink)
{
    struct pack *pack = lua_newuserdatauv(L, sizeof *pack, 0);
    msgpack_packer_init(&pack->packer, pack, pack_append);
    pack->sink = *sink;
    pack->status = 0;
    pack->used = 0;
    return pack;
}

static int pack_is_continuation(unsigned char byte)
{
    return (byte & 0xC0) == 0x80;
}

/* Length of the UTF-8 sequence at data, or 0 if it is not valid: no overlong forms, no surrogates,
 * nothing above U+10FFFF. */
static size_t pack_utf8_sequence(const unsigned char *data, size_t left)
{
    unsigned char first = data[0];
    if (first < 0x80)
        return 1;
    if (first < 0xC2 || first > 0xF4)
        return 0;
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (left < length)
        return 0;
    for (size_t i = 1; i < length; i++)
        if (!pack_is_continuation(data[i]))
            return 0;
    if ((first == 0xE0 && data[1] < 0xA0) || (first == 0xED && data[1] > 0x9F) ||
        (first == 0xF0 && data[1] < 0x90) || (first == 0xF4 && data[1] > 0x8F))
        return 0;
    return length;
}

static int pack_is_utf8(const char *text, size_t size)
{
    const unsigned char *data = (const unsigned char *)text;
    size_t at = 0;
    while (at < size) {
        uint64_t word;
        while (size - at >= sizeof word) { /* most text is ASCII */
            memcpy(&word, data + at, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) != 0)
                break;
            at += sizeof word;
        }
        if (at == size)
            break;
        size_t length = pack_utf8_sequence(data + at, size - at);
        if (length == 0)
            return 0;
        at += length;
    }
    return 1;
}

static void pack_long_string(struct pack *pack, const char *data, size_t size)
{
    size_t chunks = (size + PACK_CHUNK - 1) / PACK_CHUNK;
    msgpack_pack_array(&pack->packer, chunks + 1);
    pack_text(pack, "string");
    while (size > 0) {
        size_t chunk = size < PACK_CHUNK ? size : PACK_CHUNK;
        msgpack_pack_bin_with_body(&pack->packer, data, chunk);
        data += chunk;
        size -= chunk;
    }
}

void pack_string(struct pack *pack, const char *data, size_t size)
{
    if (size > PACK_CHUNK) {
        pack_long_string(pack, data, size);
    } else if (size < 32 && size + 1 <= PACK_BUFFER - pack->used && pack_is_utf8(data, size)) {
        unsigned char *room = pack->buffer + pack->used;
        room[0] = (unsigned char)(0xA0 | size);
        memcpy(room + 1, data, size);
        pack->used += size + 1;
    } else if (pack_is_utf8(data, size)) {
        msgpack_pack_str_with_body(&pack->packer, data, size);
    } else {
        msgpack_pack_bin_with_body(&pack->packer, data, size);
    }
}

/* The body of a chunk: on disk the lowest byte of a number comes first. */
static void pack_numbers(struct pack *pack, const char *data, size_t size, int width)
{
    if (BYTES_ARE_LITTLE_ENDIAN || width == 1) {
        pack_append(pack, data, size);
        return;
    }
    for (size_t at = 0; at < size; at += (size_t)width)
        for (int i = width - 1; i >= 0; i--)
            pack_append(pack, data + at + i, 1);
}

void pack_block(struct pack *pack, const void *data, size_t size, int width)
{
    const char *at = data;
    pack_array(pack, 2 + (uint32_t)((size + PACK_CHUNK - 1) / PACK_CHUNK));
    pack_integer(pack, width);
    pack_integer(pack, (int64_t)size);
    while (size > 0) {
        size_t chunk = size < PACK_CHUNK ? size : PACK_CHUNK;
        msgpack_pack_bin(&pack->packer, chunk);
        pack_numbers(pack, at, chunk, width);
        at += chunk;
        size -= chunk;
    }
}

void pack_long_text(struct pack *pack, const char *text, size_t size)
{
    msgpack_pack_str_with_body(&pack->packer, text, size);
}
