#include "value/idmap.h"

#include <stdlib.h>

#include "base/bytes.h"

static size_t idmap_home(const struct idmap *map, const void *address)
{
    /* Fibonacci hashing, but of 128 bytes as a whole: what lies side by side is often met one after
     * the other, and its entries then share a line of the cache. */
    uint64_t at = (uint64_t)(uintptr_t)address >> 4;
    uint64_t hash = (at >> 3) * UINT64_C(0x9E3779B97F4A7C15);
    return (size_t)((hash >> 20 & ~UINT64_C(7)) | (at & 7)) & map->mask;
}

static struct idmap_entry *idmap_place(const struct idmap *map, const void *address)
{
    size_t at = idmap_home(map, address);
    while (map->entries[at].address != NULL && map->entries[at].address != address)
        at = (at + 1) & map->mask;
    return &map->entries[at];
}

static int idmap_grow(struct idmap *map)
{
    size_t places = map->entries == NULL ? 256 : 2 * (map->mask + 1);
    struct idmap bigger = {bytes_zeroed(places * sizeof *bigger.entries), places - 1, map->used};
    if (bigger.entries == NULL)
        return -1;
    for (size_t i = 0; map->entries != NULL && i <= map->mask; i++)
        if (map->entries[i].address != NULL)
            *idmap_place(&bigger, map->entries[i].address) = map->entries[i];
    free(map->entries);
    *map = bigger;
    return 0;
}

struct idmap_entry *idmap_find(struct idmap *map, const void *address)
{
    if (map->used >= map->mask - map->mask / 4 && idmap_grow(map) != 0)
        return NULL;
    struct idmap_entry *entry = idmap_place(map, address);
    if (entry->address == NULL) {
        entry->address = address;
        entry->number = 0;
        map->used++;
    }
    return entry;
}

int idmap_has(const struct idmap *map, const void *address)
{
    return map->entries != NULL && idmap_place(map, address)->address != NULL;
}

uint64_t idmap_get(const struct idmap *map, const void *address)
{
    return map->entries == NULL ? 0 : idmap_place(map, address)->number;
}

void idmap_fetch(const struct idmap *map, const void *address)
{
    if (map->entries != NULL && address != NULL)
        __builtin_prefetch(&map->entries[idmap_home(map, address)], 1);
}

void idmap_free(struct idmap *map)
{
    free(map->entries);
    *map = (struct idmap){0};
}
