/*
 * The records of tables, which follow the roots of a body: shape.h tells their form.
 */
#ifndef CKPTLUA_VALUE_RECORD_H
#define CKPTLUA_VALUE_RECORD_H

#include "value/encoder.h"

/* Writes the records of all tables that were met, and of those met in these; where layouts are
 * written, what is left of removed entries behind them. */
void record_all(lua_State *L, struct encoder *encode);

#endif
