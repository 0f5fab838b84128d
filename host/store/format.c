#include "store/format.h"

#include <string.h>

#include "base/bytes.h"

/* Bytes that msgpack puts before a value. */
enum { MAP_16 = 0xDE, UINT_32 = 0xCE, UINT_64 = 0xCF, BIN_8 = 0xC4 };

/* Strings of 7 and 8 bytes, the second in an array of 3. */
#define HEAD_KEY "\xA7\x63kptlua"
#define TRAILER_KEY "\x93\xA8\x63kpt-end"

/* Where things are. */
enum {
    HEAD_PAIRS = 1,
    HEAD_NAME = 3,
    HEAD_NAME_SIZE = 8,
    HEAD_UINT = 11,
    HEAD_VERSION = 12,
    TRAILER_NAME_SIZE = 10,
    TRAILER_UINT = 10,
    TRAILER_LENGTH = 11,
    TRAILER_BIN = 19,
    TRAILER_DIGEST = 21
};

void format_put_head(unsigned char out[FORMAT_HEAD_SIZE], uint16_t pairs)
{
    out[0] = MAP_16;
    bytes_put_u16(out + HEAD_PAIRS, pairs);
    memcpy(out + HEAD_NAME, HEAD_KEY, HEAD_NAME_SIZE);
    out[HEAD_UINT] = UINT_32;
    bytes_put_u32(out + HEAD_VERSION, FORMAT_VERSION);
}

int format_get_head(const unsigned char in[FORMAT_HEAD_SIZE], uint16_t *pairs, struct error *error)
{
    uint32_t version = bytes_get_u32(in + HEAD_VERSION);
    if (!format_begins_head(in, FORMAT_HEAD_SIZE) || version == 0)
        return error_set(error, ERROR_NOT_SNAPSHOT, "is not a ckptlua snapshot");
    if (version > FORMAT_VERSION)
        return error_set(error, ERROR_NEWER,
                         "was written by a later ckptlua (format %lu; this one reads up to %d)",
                         (unsigned long)version, FORMAT_VERSION);
    *pairs = bytes_get_u16(in + HEAD_PAIRS);
    return 0;
}

int format_begins_head(const unsigned char *in, size_t size)
{
    unsigned char head[FORMAT_HEAD_SIZE];
    format_put_head(head, 0);
    for (size_t i = 0; i < size && i < HEAD_VERSION; i++) {
        int varies = i >= HEAD_PAIRS && i < HEAD_NAME;
        if (in[i] != head[i] && !varies)
            return 0;
    }
    return 1;
}

void format_put_trailer(unsigned char out[FORMAT_TRAILER_SIZE], uint64_t length,
                        const unsigned char digest[CHECKSUM_SIZE])
{
    memcpy(out, TRAILER_KEY, TRAILER_NAME_SIZE);
    out[TRAILER_UINT] = UINT_64;
    bytes_put_u64(out + TRAILER_LENGTH, length);
    out[TRAILER_BIN] = BIN_8;
    out[TRAILER_BIN + 1] = CHECKSUM_SIZE;
    memcpy(out + TRAILER_DIGEST, digest, CHECKSUM_SIZE);
}

int format_get_trailer(const unsigned char in[FORMAT_TRAILER_SIZE], uint64_t *length,
                       unsigned char digest[CHECKSUM_SIZE])
{
    unsigned char expected[FORMAT_TRAILER_SIZE];
    *length = bytes_get_u64(in + TRAILER_LENGTH);
    memcpy(digest, in + TRAILER_DIGEST, CHECKSUM_SIZE);
    format_put_trailer(expected, *length, digest);
    return memcmp(in, expected, sizeof expected) == 0 ? 0 : ERROR_DAMAGED;
}
