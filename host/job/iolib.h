/*
 * The functions of io and os that a job calls, replaced by ones that remember what is open and tell
 * the journal and the user what a continue cannot undo. The stock functions do the work, called in
 * the frame of the replacement, so that results, messages and positions in them are the stock ones.
 */
#ifndef CKPTLUA_JOB_IOLIB_H
#define CKPTLUA_JOB_IOLIB_H

#include <lua.h>

/* Replaces them in the io and os tables of L. filetable_new comes before. May raise. */
void iolib_open(lua_State *L);

#endif
