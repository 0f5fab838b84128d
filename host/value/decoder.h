/*
 * The decoder proper: values. What is in a snapshot, and in which order, is decode.c's business;
 * the records of tables are restore.c's.
 */
#ifndef CKPTLUA_VALUE_DECODER_H
#define CKPTLUA_VALUE_DECODER_H

#include <lua.h>

#include "value/code.h"
#include "value/unpack.h"

struct decoder {
    struct unpack *unpack;
    int tables, shared, metatables; /* stack indices: number -> object; {table, metatable, ...} */
    lua_Integer tables_known, shared_known, metatables_known;
    uint64_t claimed; /* places that the sizes of new tables have announced */
    int look;         /* values that this program cannot make are stand-ins for ever */
    int idle;         /* no finalizer may run */
    int depth;        /* of values inside of a value that is written as an array */
    const struct code_reader *code; /* NULL: functions can only be looked at */
    int functions, threads;         /* stack indices: lists of pairs */
    lua_Integer functions_known, threads_known;
    int finalizers; /* stack index: list of the tables that are marked for finalizers; 0: none is
                       read */
    int bases;  /* stack index: number of a table -> the table of the base environment that it is */
    int unlaid; /* stack index: number -> true for tables whose layout was left aside */
    int has_laid;      /* records begin with a layout */
    int has_places;    /* garbage is told at the end */
    uint64_t standins; /* keys of tables that are not there yet */
    int places;        /* stack index: a block of memory for the places of a layout, of that many */
    uint32_t places_room;
};

/* What decoder_value has pushed. */
enum decoder_pushed { DECODER_VALUE, DECODER_STANDIN };

enum decoder_pushed decoder_value(lua_State *L, struct decoder *decode);

/* Reads a string that is part of the layout, and pushes it. */
void decoder_push_text(lua_State *L, struct decoder *decode);

/* The token announces a new table: pushes it, of the sizes announced. is_scripts: it is one of the
 * script, even if it has no place. */
void decoder_new_table(lua_State *L, struct decoder *decode, const struct unpack_token *token,
                       int is_scripts);

/* Reads a key and its value and pushes them. Where one of them is not there yet, its place in the
 * table at index is noted. */
void decoder_pair(lua_State *L, struct decoder *decode, int table);

#endif
