/*
 * Random numbers out of the state of math.random, so that they go on with it: num.rand(n, 1) has
 * the numbers that n calls of math.random() would give, and moves its state as far.
 */
#ifndef CKPTLUA_NUM_RANDOM_H
#define CKPTLUA_NUM_RANDOM_H

#include <stdint.h>

#include <lua.h>

/* Finds the state. Once per Lua state, before a script has changed math.random. */
void random_open(lua_State *L);

/* The state: four words of xoshiro256**, or NULL where this Lua keeps it otherwise. Raises then. */
uint64_t *random_state(lua_State *L);

/* The next number from 0 to 1, without 1; the next one of the normal distribution; the next integer
 * from 0 to most. */
double random_float(uint64_t *state);
double random_normal(uint64_t *state);
uint64_t random_integer(uint64_t *state, uint64_t most);

#endif
