/*
 * Local variables that a save of globals does not keep: each is named once.
 */
#ifndef CKPTLUA_JOB_LOCALS_H
#define CKPTLUA_JOB_LOCALS_H

#include "job/host.h"

/* Looks at all functions on the stack of L. */
void locals_warn(lua_State *L, struct job *job);

#endif
