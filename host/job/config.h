/*
 * ckpt.config{...}: the options that the script sets, kept in the snapshot.
 */
#ifndef CKPTLUA_JOB_CONFIG_H
#define CKPTLUA_JOB_CONFIG_H

#include "job/host.h"

/* Sets the options in the table at index, and remembers them. Raises where one is wrong or is
 * none that a script may set. */
void config_set(lua_State *L, struct job *job, int index);

/* Has what was set take effect in a job that runs. */
void config_apply(lua_State *L, struct job *job);

/* Pushes what was set, as plain data: name -> text. */
void config_push(lua_State *L);

#endif
