/*
 * Functions written in Lua, and coroutines: host/exact knows how they are taken apart and put
 * together; encode.c and decode.c only know where in a snapshot the parts go (shape.h). Without it,
 * as for ckpt.save, such values are refused.
 *
 * All functions may raise errors; "context" is what stands beside them.
 */
#ifndef CKPTLUA_VALUE_CODE_H
#define CKPTLUA_VALUE_CODE_H

#include <stddef.h>
#include <stdint.h>

#include <lua.h>

#include "value/layout.h"

/* Where in the source a function is: in a text that was compiled, as the number of its prototype.
 */
struct code_place {
    const void *chunk; /* its address tells it from others */
    uint32_t number;
};

struct encoder;       /* encoder.h */
struct userdata_type; /* registry.h */

/* Where an object lies in memory, as a number that host/exact gives and takes. */
#define CODE_NO_PLACE UINT64_MAX

/* Places that were in use by what nothing refers to any more. */
struct code_garbage {
    uint64_t first, count;
    int waits; /* for a finalizer: it stays for one collection more */
};

/* A table that is in a snapshot only: there it tells what a function or a coroutine consists of. It
 * is counted when it is met, and written by encoder_* when its turn comes. What it refers to is
 * still there then, but where a save function may have changed it, `write` must look. */
struct code_piece {
    uint32_t sequence, others; /* its entries: shape.h */
    void (*write)(lua_State *L, struct encoder *encode, const struct code_piece *piece);
    const void *object, *part; /* what it is about: known to `write` */
    ptrdiff_t number, other;
};

/* Taking apart. Each value is given once. */
struct code_writer {
    void *context;
    /* Of the Lua function at index: fills *place, and *upvalues, the table of its upvalues; or
     * raises why it cannot be saved. */
    void (*function)(lua_State *L, void *context, int index, struct code_place *place,
                     struct code_piece *upvalues);
    /* Pushes name and text of a chunk; nil as text if it is the script itself. */
    void (*chunk)(lua_State *L, void *context, const void *chunk);
    /* Fills *description, the table that describes the coroutine at index, or raises why it cannot
     * be saved. May keep numbers for it with encoder_keep. */
    void (*thread)(lua_State *L, void *context, struct encoder *encode, int index,
                   struct code_piece *description);
    /* Of a C function without a name that a library has made: pushes the name of its kind and then
     * the values it is made of, and returns their number, or -1 if it is of no kind known. */
    int (*made)(lua_State *L, void *context, int index);
    /* Pushes a list of what the function or coroutine at index refers to, for messages: a text that
     * tells what it is there ("local 'x' (job.lua:3)"), or "" if there is none, and the value; and
     * so on. */
    void (*parts)(lua_State *L, void *context, int index);
    /* Pushes the list of the tables that have a finalizer which is still to run, in the order in
     * which they were marked for it; nothing may refer to one of them any more. */
    void (*finalizers)(lua_State *L, void *context);
    /* Whether the userdata at index has a finalizer, and it has run. */
    int (*finalized)(lua_State *L, void *context, int index);
    /* The place of the object at index, or CODE_NO_PLACE; asked for once, when it is met first.
     * NULL: objects have none. */
    uint64_t (*place)(lua_State *L, void *context, int index);
    /* When all has been met: garbage, part by part. Returns 0 at the end; the next call begins
     * anew. */
    int (*garbage)(lua_State *L, void *context, struct code_garbage *garbage);
};

/* Putting together. Tables are not filled yet; what is in them is looked at by `finish` only. A
 * place may be CODE_NO_PLACE, or any number. */
struct code_reader {
    void *context;
    /* The name and the text of a chunk are on top: pops them, and pushes a userdata for it. */
    void (*chunk)(lua_State *L, void *context);
    /* Pushes function `number` of the chunk that the userdata at index stands for. */
    void (*function)(lua_State *L, void *context, int chunk, uint32_t number, uint64_t place);
    /* Pushes an empty coroutine. */
    void (*thread)(lua_State *L, void *context, uint64_t place);
    /* Pushes the C function in that field of a module that is not written in Lua, or, with field
     * NULL, that such a module is. NULL: the script loads its modules itself. */
    void (*native)(lua_State *L, void *context, const char *module, const char *field);
    /* `count` values are on top: pops them, and pushes a function of that kind made of them. */
    void (*made)(lua_State *L, void *context, const char *kind, int count);
    /* The table at index has been filled; its keys were in the order of the list at `keys`. NULL if
     * that is of no interest. */
    void (*order)(lua_State *L, void *context, int table, int keys);
    /* NULL: tables are only filled, in whatever layout. */
    const struct layout_reader *layout;
    /* All tables are filled. `functions` is a list of pairs: function, table of upvalues;
     * `threads` of pairs: coroutine, description. */
    void (*finish)(lua_State *L, void *context, int functions, int threads);
    /* The rest may be NULL, if nobody asks for places. Pushes a table of the script, of that size.
     */
    void (*table)(lua_State *L, void *context, uint32_t array, uint32_t hash, uint64_t place);
    /* Pushes the userdata that the type's `load` makes. */
    void (*load)(lua_State *L, void *context, const struct userdata_type *type, const char *data,
                 size_t size, uint64_t place);
    /* The finalizer of the userdata on top, which is new, is not to run. */
    void (*finalized)(lua_State *L, void *context);
    /* What is made from here on is the host's own, or not. */
    void (*own)(lua_State *L, void *context, int on);
    void (*garbage)(lua_State *L, void *context, const struct code_garbage *garbage);
};

#endif
