/*
 * Changes of a stream of msgpack objects that leave it one: another number, another reference,
 * another object from elsewhere in the stream.
 */
#ifndef CKPTLUA_TESTS_FUZZ_MUTATE_H
#define CKPTLUA_TESTS_FUZZ_MUTATE_H

#include <stddef.h>
#include <stdint.h>

/* Changes `size` bytes of data, of which there is room for `room`, from offset `from` on, which an
 * object begins at. Everything random comes from the seed. Returns the new size, or 0 if nothing
 * could be changed. */
size_t mutate_objects(uint8_t *data, size_t size, size_t room, size_t from, unsigned seed);

/* The offset behind the object at `at`, or 0 if there is none that is whole. */
size_t mutate_skip(const uint8_t *data, size_t size, size_t at);

#endif
