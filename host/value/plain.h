/*
 * Plain data: nil, booleans, numbers, strings, and tables of them that are lists or have string
 * keys, nested at most PLAIN_DEPTH deep, without shared parts. As a msgpack object it looks as any
 * other program would write it. Used for the header and the state of a job, not for values of the
 * script.
 */
#ifndef CKPTLUA_VALUE_PLAIN_H
#define CKPTLUA_VALUE_PLAIN_H

#include "value/pack.h"
#include "value/unpack.h"

enum { PLAIN_DEPTH = 16 };

/* Writes the value at index. A table with t[1] ~= nil is a list of #t values, others are maps with
 * their keys sorted. Raises where the value is not plain. */
void plain_encode(lua_State *L, int index, struct pack *pack);

/* The pairs of the map at index without the map in front, sorted; returns their number. With
 * pack NULL it only counts. */
uint32_t plain_encode_pairs(lua_State *L, int index, struct pack *pack);

/* Reads the next object and pushes it. */
void plain_decode(lua_State *L, struct unpack *unpack);

/* Reads `pairs` keys and values and pushes a table of them. */
void plain_decode_pairs(lua_State *L, struct unpack *unpack, uint32_t pairs);

#endif
