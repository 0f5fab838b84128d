/*
 * How arrays are in a snapshot: as userdata of the types num.array, num.small and num.sparse, whose
 * elements go to the file and back as blocks, without a copy.
 */
#ifndef CKPTLUA_NUM_SNAPSHOTS_H
#define CKPTLUA_NUM_SNAPSHOTS_H

#include <lua.h>

/* Tells the host, if there is one, of the types. The metatables are there. */
void snapshots_open(lua_State *L);

#endif
