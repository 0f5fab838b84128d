/*
 * The scratch directory of verify, and what is in one, for lua/verify.lua:
 *
 *     scratch = scratch()    a new directory below TMPDIR or /tmp
 *     path = scratch:path()
 *     scratch:keep()         without this it is removed when it is forgotten
 *     moment = stamp(folder) what changes in it from now on has a later `changed`
 *     list(folder)           { [path below it] = { kind = "file", "folder", "link" or "other",
 * size, mode, changed, target (of a link) } }
 *
 * They raise errors.
 */
#ifndef CKPTLUA_CLI_VERIFY_SCRATCH_H
#define CKPTLUA_CLI_VERIFY_SCRATCH_H

#include <lua.h>

int verify_scratch_new(lua_State *L);
int verify_scratch_stamp(lua_State *L);
int verify_scratch_list(lua_State *L);

#endif
