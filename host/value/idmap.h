/*
 * A map from addresses to 64-bit numbers: which object has which number in the snapshot.
 * Open addressing; 16 bytes an entry, at most three quarters full.
 */
#ifndef CKPTLUA_VALUE_IDMAP_H
#define CKPTLUA_VALUE_IDMAP_H

#include <stddef.h>
#include <stdint.h>

struct idmap_entry {
    const void *address; /* NULL: free */
    uint64_t number;
};

/* All zeros is an empty one, without memory. */
struct idmap {
    struct idmap_entry *entries;
    size_t mask, used; /* mask + 1 is the number of places, a power of 2; 0 with no memory */
};

/* The entry of address, made with number 0 where there was none. It is valid until the next call.
 * Returns NULL when out of memory. */
struct idmap_entry *idmap_find(struct idmap *map, const void *address);

/* Whether address has an entry; and its number, or 0. Never add one. */
int idmap_has(const struct idmap *map, const void *address);
uint64_t idmap_get(const struct idmap *map, const void *address);

/* Has the processor fetch where address has, or would have, its entry. */
void idmap_fetch(const struct idmap *map, const void *address);

void idmap_free(struct idmap *map);

#endif
