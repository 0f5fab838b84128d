/*
 * Values of the script to the body of a snapshot. The layout is told in value/shape.h.
 *
 * Tables are written one after the other out of a queue, never inside each other, so nesting costs
 * no stack. Memory: the map of numbers (16 bytes an object at best, 43 at worst), the queue of
 * tables that were met and not yet written, and the buffer.
 */
#ifndef CKPTLUA_VALUE_ENCODE_H
#define CKPTLUA_VALUE_ENCODE_H

#include "value/again.h"
#include "value/code.h"
#include "value/layout.h"
#include "value/pack.h"
#include "value/walker.h"

/* Of encode_exact: what nothing refers to any more, but has a finalizer that is to run, is saved
 * too; or is left out, as one of these values was refused. */
enum encode_garbage { ENCODE_GARBAGE, ENCODE_GARBAGE_REFUSED, ENCODE_NO_GARBAGE };

struct encode_options {
    const struct walker *walker;
    again_push_line *push_line;
    void *context;                      /* of push_line */
    const struct code_writer *code;     /* NULL: functions written in Lua are refused */
    const struct layout_writer *layout; /* of encode_exact; NULL: tables go by their entries only */
    const struct layout_writer *inside; /* looks into tables; NULL: `layout` does, or Lua's API */
    int nameless;                       /* refusals leave PATH out: to find it takes long */
    enum encode_garbage *garbage; /* is ENCODE_GARBAGE_REFUSED afterwards if it was; may be NULL */
};

/* Writes the globals of the script: what differs from the base environment, but for what the script
 * defines again. Coroutines are refused. Raises "PATH: REASON; WHAT TO DO" for what cannot be
 * saved, and an error when the sink fails. The collector should not run meanwhile. */
void encode_globals(lua_State *L, struct pack *pack, const struct encode_options *options);

/* Writes the pairs of the table at index, all tables of the base environment that the script has
 * changed, as they are now, and all that these refer to, functions and coroutines included; then
 * the tables with finalizers. */
void encode_exact(lua_State *L, int roots, struct pack *pack, const struct encode_options *options);

/* The pairs of the table at index only. */
void encode_table(lua_State *L, int table, struct pack *pack, const struct encode_options *options);

#endif
