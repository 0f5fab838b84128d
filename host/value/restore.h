/*
 * The records of tables, as record.c has written them, back to tables.
 */
#ifndef CKPTLUA_VALUE_RESTORE_H
#define CKPTLUA_VALUE_RESTORE_H

#include "value/decoder.h"

/* Reads `pairs` keys and values into the table at index. What is not there yet is to be put into
 * the table `owner` later, which this one is or will be. If `keys` is not 0, that is a list to
 * which the keys are appended. */
void restore_pairs(lua_State *L, struct decoder *decode, int table, int owner, uint32_t pairs,
                   int keys);

/* Reads the records of all tables, and what is left of removed entries; with exact set, also the
 * list of what is marked for finalizers. */
void restore_tables(lua_State *L, struct decoder *decode, int exact);

#endif
