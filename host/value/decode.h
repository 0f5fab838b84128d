/*
 * The body of a snapshot to values of the script: the mirror of encode.h.
 *
 * The bytes are not trusted: whatever they are, the result is values or a raised error. Memory that
 * is asked for is bounded by the bytes that are left.
 */
#ifndef CKPTLUA_VALUE_DECODE_H
#define CKPTLUA_VALUE_DECODE_H

#include "value/unpack.h"

/* Reads the variables and all they refer to into the table at index `target`, and the changes of
 * libraries into these. Pushes the list of names that the script is to define again.
 * Values that are not there yet are stand-ins (late.h). */
void decode_globals(lua_State *L, struct unpack *unpack, int target);

/* The same for what ckpt.save wrote, or to look at a job's: libraries are left alone, and
 * metatables with a finalizer (__gc) are left out, as nothing is to run. */
void decode_table(lua_State *L, struct unpack *unpack, int target);

#endif
