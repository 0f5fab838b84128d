/*
 * A growing run of bytes, and numbers in network byte order.
 */
#ifndef CKPTLUA_BASE_BYTES_H
#define CKPTLUA_BASE_BYTES_H

#include <stddef.h>
#include <stdint.h>

/* All zeros is an empty one. Owns data. */
struct bytes {
    unsigned char *data;
    size_t size, capacity; /* bytes */
};

/* Returns 0, or ERROR_MEMORY with nothing changed. */
int bytes_reserve(struct bytes *bytes, size_t more);
int bytes_append(struct bytes *bytes, const void *data, size_t size);
void bytes_free(struct bytes *bytes);

/* Zeroed memory for free(). Where it is much, it lies in large pages if the system has them: what
 * is read all over is spared the misses of the address translation. NULL when out of memory. */
void *bytes_zeroed(size_t size);

/* Whether the lowest byte of a number comes first in memory. */
#define BYTES_ARE_LITTLE_ENDIAN (__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__)

/* Turns each number of `width` bytes around. */
void bytes_swap(void *data, size_t size, int width);

static inline void bytes_put_u16(unsigned char *out, uint16_t value)
{
    out[0] = (unsigned char)(value >> 8);
    out[1] = (unsigned char)value;
}

static inline void bytes_put_u32(unsigned char *out, uint32_t value)
{
    bytes_put_u16(out, (uint16_t)(value >> 16));
    bytes_put_u16(out + 2, (uint16_t)value);
}

static inline void bytes_put_u64(unsigned char *out, uint64_t value)
{
    bytes_put_u32(out, (uint32_t)(value >> 32));
    bytes_put_u32(out + 4, (uint32_t)value);
}

static inline uint16_t bytes_get_u16(const unsigned char *in)
{
    return (uint16_t)(in[0] << 8 | in[1]);
}

static inline uint32_t bytes_get_u32(const unsigned char *in)
{
    return (uint32_t)bytes_get_u16(in) << 16 | bytes_get_u16(in + 2);
}

static inline uint64_t bytes_get_u64(const unsigned char *in)
{
    return (uint64_t)bytes_get_u32(in) << 32 | bytes_get_u32(in + 4);
}

#endif
