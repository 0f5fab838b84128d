/*
 * The bytes of a snapshot that are known without msgpack: how it begins, how it ends.
 * docs/format.md tells the rest.
 *
 *   offset 0   DE nn nn              a msgpack map of n pairs, the header
 *          3   A7 "ckptlua"          its first key ...
 *         11   CE vv vv vv vv        ... and value: the format version
 *         16   the other n-1 pairs, then the objects of the body
 *   end - 37   93                    a msgpack array of 3, the trailer
 *              A8 "ckpt-end"
 *              CF llllllllllllllll   number of bytes before the trailer
 *              C4 10 dd*16           XXH3-128 of these bytes
 */
#ifndef CKPTLUA_STORE_FORMAT_H
#define CKPTLUA_STORE_FORMAT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "store/checksum.h"

enum { FORMAT_VERSION = 1, FORMAT_HEAD_SIZE = 16, FORMAT_TRAILER_SIZE = 37 };

/* The first bytes of a header map with this many pairs, the version being one of them. */
void format_put_head(unsigned char out[FORMAT_HEAD_SIZE], uint16_t pairs);

/* Returns 0 and the number of pairs, or ERROR_NOT_SNAPSHOT or ERROR_NEWER (message without a file
 * name). */
int format_get_head(const unsigned char in[FORMAT_HEAD_SIZE], uint16_t *pairs, struct error *error);

/* Whether these bytes, fewer than a head or not, could be the first ones of a snapshot of any
 * format. */
int format_begins_head(const unsigned char *in, size_t size);

void format_put_trailer(unsigned char out[FORMAT_TRAILER_SIZE], uint64_t length,
                        const unsigned char digest[CHECKSUM_SIZE]);

/* Returns 0, or ERROR_DAMAGED where this is no trailer. */
int format_get_trailer(const unsigned char in[FORMAT_TRAILER_SIZE], uint64_t *length,
                       unsigned char digest[CHECKSUM_SIZE]);

#endif
