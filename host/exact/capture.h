/*
 * Threads and functions to descriptions of them: tables, which are there in a snapshot only
 * (code.h). This is of functions, and what is common to all; threads are in frames.h. The mirror of
 * rebuild.h.
 *
 * A coroutine is a table of
 *   - state: "idle", "suspended" or "failed"; status: of lua_status, where it failed;
 *   - room: size of its stack;
 *   - base: {values}, of one that was not started the function and its arguments;
 *   - [1], [2], ...: its calls, the outermost first.
 * A call of a Lua function:
 *   - f: the function; code: analysis_print of it;
 *   - pc: the instruction that is to be executed next (top), or is being executed (others);
 *   - at: its place behind that of the call before, in values;
 *   - tail: true if tail called; negated: true in a <= b by not (b < a);
 *   - results: number of results that are being returned while variables are closed;
 *   - extra: {n = number, values}, the arguments behind the named ones, of a vararg function;
 *   - open: {[register + 1] = upvalue}; armed: {register + 1, ...}, to-be-closed ones, ascending;
 *   - successors: {[register of an iterator + 1] = key or false}, of loops by `next` that have
 * taken their current key out of the table: what comes after it;
 *   - n: number of values, in a coroutine that has failed;
 *   - [1], [2], ...: values of its registers.
 * A call of a C function: f; at, likewise; n: number, and [1], [2], ... its values.
 * An upvalue: {value}. It is one table for all functions that share it.
 */
#ifndef CKPTLUA_EXACT_CAPTURE_H
#define CKPTLUA_EXACT_CAPTURE_H

#include "exact/exact.h"

/* Slots that a thread may need: LUAI_MAXSTACK, less what Lua wants on top of it. */
enum { CAPTURE_LARGEST_STACK = 1000000 - 400 };

/* Of code_writer. */
void capture_function(lua_State *L, void *context, int index, struct code_place *place,
                      struct code_piece *upvalues);
void capture_chunk(lua_State *L, void *context, const void *chunk);
int capture_made(lua_State *L, void *context, int index);

/* What keeps the running threads from being captured now: pushes a text such as "table.sort
 * (job.lua:12)" on L and returns 1; or returns 0. */
int capture_obstacle(lua_State *L, const struct exact *exact);

/* Before and after a capture, whether it has failed or not. */
void capture_begin(struct exact *exact);
void capture_end(struct exact *exact);

/* A save function runs the thread while a capture is on its way. */
void capture_note(lua_State *L, struct exact *exact, const lua_State *thread);

/* Writes the table of an upvalue, or a reference to it. */
void capture_cell(lua_State *L, struct encoder *encode, const struct vm_upvalue *upvalue);

/* Pushes "NAME (WHERE)" of a call of that thread. */
void capture_push_name(lua_State *L, lua_State *thread, const struct vm_call *call);

#endif
