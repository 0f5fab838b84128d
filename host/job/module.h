/*
 * What a job's script sees: the module and global `ckpt`, the global function checkpoint, os.exit.
 */
#ifndef CKPTLUA_JOB_MODULE_H
#define CKPTLUA_JOB_MODULE_H

#include "job/host.h"

/* Installs them. The standard libraries are open. May raise. */
void module_open(lua_State *L, struct job *job);

/* While on, a module that `require` loads takes the places that a snapshot keeps for it at once.
 * Uses the metatable of package.loaded. */
void module_watch_loading(lua_State *L, int on);

/* Sets ckpt.resumed and ckpt.saves. */
void module_set_counts(lua_State *L, const struct job *job);

#endif
