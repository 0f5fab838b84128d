/*
 * The msgpack tree of a snapshot, to be changed: what bytes at random seldom do is to keep all
 * around the change as it was.
 */
#ifndef CKPTLUA_TESTS_FUZZ_TREE_H
#define CKPTLUA_TESTS_FUZZ_TREE_H

#include <stddef.h>
#include <stdint.h>

enum { TREE_NODES = 1 << 14 };

enum tree_type {
    TREE_NIL,
    TREE_BOOLEAN,
    TREE_INTEGER,
    TREE_FLOAT,
    TREE_STRING,
    TREE_ARRAY,
    TREE_MAP,
    TREE_EXTENSION
};

struct tree_node {
    enum tree_type type;
    size_t start, body, end; /* offsets: of the head, behind it, behind all of it */
    uint32_t count;          /* values of an array, twice the pairs of a map */
    int parent;              /* -1: none */
    int64_t integer;
    int extension;
};

struct tree {
    const uint8_t *data;
    size_t size;
    int count;
    struct tree_node nodes[TREE_NODES];
};

/* Reads objects up to the first that is none. */
void tree_read(struct tree *tree, const uint8_t *data, size_t size);

/* Writes what `tree` has become by one change, which `seed` decides, to out. Values may come from
 * the other tree. Returns the size, or 0 where there was nothing to change or no room. */
size_t tree_change(const struct tree *tree, const struct tree *other, uint64_t seed, uint8_t *out,
                   size_t room);

#endif
