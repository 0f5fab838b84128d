/*
 * For the tests of host/value: Lua states as a job has them, snapshots in memory, and an allocator
 * that counts and fails on request.
 */
#ifndef CKPTLUA_TESTS_VALUE_SUPPORT_H
#define CKPTLUA_TESTS_VALUE_SUPPORT_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "base/bytes.h"
#include "value/encode.h"
#include "value/pack.h"
#include "value/unpack.h"

struct memory {
    size_t used, peak; /* bytes */
    size_t limit;      /* allocations that would make used larger fail; 0: none do */
    long countdown;    /* allocations until all fail; -1: never */
    int failures;
};

/* Pushes nothing. A state with all libraries, named; and for scripts
 *     register(name, metatable [, save, load])   transient(name, value)   sweep()
 *     box(text): a userdata with a saver         brick(): one without
 *     pointer([value]): a light userdata, of the address of the value
 *     same(a, b): whether the two are the same value, bit by bit
 *     shape(value): its graph as text, equal for graphs that are alike
 * memory may be NULL; it must outlive the state. */
lua_State *value_open(struct memory *memory);

/* The same with base, string, table and math only: nothing that bytes from a file could misuse. */
lua_State *value_open_harmless(struct memory *memory);

/* Runs the chunk as "job.lua". An error fails the test. */
void value_run(lua_State *L, const char *chunk);

/* Encodes the globals, or the table on top where `table` is not 0, with the collector stopped.
 * Returns 1, or 0 with the error pushed. */
int value_encode(lua_State *L, int table, struct bytes *body);

/* The same with other options. */
int value_encode_by(lua_State *L, const struct encode_options *options, int table,
                    struct bytes *body);

/* Decodes into the globals (then pushes nothing), or with `table` pushes a table of what is there.
 * Returns 1, or 0 with the error pushed. */
int value_decode(lua_State *L, int table, const void *data, size_t size);

/* A source that gives at most `step` bytes at a time; 0: as many as are asked for. */
struct value_source {
    const unsigned char *data;
    size_t size, at, step;
};
struct source value_source(struct value_source *from);
struct sink value_sink(struct bytes *to);

/* Options of an encoder that knows the source of what value_run has run. */
extern const struct encode_options value_options;

/* The seed of this run: CKPTLUA_TEST_SEED, or a new one; printed. */
uint64_t value_seed(void);
/* xorshift64*; *state is not 0. */
uint64_t value_random(uint64_t *state);

#endif
