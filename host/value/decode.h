/*
 * The body of a snapshot to values of the script: the mirror of encode.h.
 *
 * The bytes are not trusted: whatever they are, the result is values or a raised error. Memory that
 * is asked for is bounded by the bytes that are left.
 */
#ifndef CKPTLUA_VALUE_DECODE_H
#define CKPTLUA_VALUE_DECODE_H

#include "value/code.h"
#include "value/unpack.h"

/* Reads the variables and all they refer to into the table at index `target`, and the changes of
 * libraries into these. Pushes the list of names that the script is to define again.
 * Values that are not there yet are stand-ins (late.h). code NULL: functions are not possible. */
void decode_globals(lua_State *L, struct unpack *unpack, int target,
                    const struct code_reader *code);

/* Reads what encode_exact wrote: the roots into the table at index `target`, and tables of the base
 * environment, all of whose entries are replaced. idle: only to be written again; no finalizer of
 * what is read will run. */
void decode_exact(lua_State *L, struct unpack *unpack, int target, const struct code_reader *code,
                  int idle);

/* Marks the tables of the list at index for their finalizers, in that order. decode_exact has
 * marked none: it leaves the list in target.finalizers, and the tables with metatables that it has
 * set without their __gc being seen. */
void decode_mark_finalizers(lua_State *L, int list);

/* What decode_globals reads, or with exact set the globals that encode_exact wrote, to be looked
 * at, or what ckpt.save wrote: libraries are left alone, and metatables with a finalizer (__gc) are
 * left out, as nothing is to run. */
void decode_table(lua_State *L, struct unpack *unpack, int target, int exact);

#endif
