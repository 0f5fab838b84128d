/*
 * A whole heap in two numbers, for comparing a state with that of another process.
 */
#ifndef CKPTLUA_TESTS_DIGEST_H
#define CKPTLUA_TESTS_DIGEST_H

#include <stdint.h>

#include <lua.h>

#include "zone/zone.h"

struct digest {
    uint64_t places; /* which are in use: the addresses of all objects */
    uint64_t tables; /* what is in each place of each table: order, lengths, chains */
};

/* Of the objects that have places, without two tables: the registry, whose keys are addresses of
 * this process, and `ckpt`, which tells how often the job was continued. Addresses that are not
 * promised are left out: of strings, of userdata, as files have others, of C functions, of removed
 * keys. */
struct digest digest_heap(lua_State *L, struct zone *zone, const void *ckpt);

#endif
