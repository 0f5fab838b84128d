/*
 * The records of tables, which follow the roots of a body: shape.h tells their form.
 */
#ifndef CKPTLUA_VALUE_RECORD_H
#define CKPTLUA_VALUE_RECORD_H

#include "value/encoder.h"

/* Writes the records of all tables that were met since the last time, and of those met in these. */
void record_all(lua_State *L, struct encoder *encode);

/* No more will come: where layouts are written, writes what is left of removed entries. */
void record_end(lua_State *L, struct encoder *encode);

#endif
