/*
 * What Lua's libraries keep in C: the state of math.random, and the processor time of os.clock.
 */
#ifndef CKPTLUA_JOB_RANDOM_H
#define CKPTLUA_JOB_RANDOM_H

#include "job/host.h"

/* Finds the state of math.random: the userdata of 32 bytes that is the one upvalue of both
 * math.random and math.randomseed. Raises where this Lua has it elsewhere. Also replaces os.clock
 * by one that goes on from earlier runs. */
void random_open(lua_State *L);

/* Starts the sequence of a seed. */
void random_seed(lua_State *L, int64_t seed);

/* Pushes the state as a string of 32 bytes, and takes it from the one at index (raises where it is
 * none). */
void random_push(lua_State *L);
void random_set(lua_State *L, int index);

/* What os.clock would give now. */
double random_clock(const struct job *job);

#endif
