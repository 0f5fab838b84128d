/*
 * XXH3-128 of a stream of bytes. The digest is 16 bytes in canonical (big-endian) order.
 */
#ifndef CKPTLUA_STORE_CHECKSUM_H
#define CKPTLUA_STORE_CHECKSUM_H

#include <stddef.h>

enum { CHECKSUM_SIZE = 16 };

struct checksum;

/* Returns NULL when out of memory. */
struct checksum *checksum_new(void);
void checksum_free(struct checksum *checksum);
void checksum_reset(struct checksum *checksum);
void checksum_add(struct checksum *checksum, const void *data, size_t size);
/* May be asked at any time; more may be added afterwards. */
void checksum_digest(const struct checksum *checksum, unsigned char out[CHECKSUM_SIZE]);

#endif
