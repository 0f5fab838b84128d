#include "num/random.h"

#include <math.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

static const char random_key; /* registry: the userdata of math.random's state */

static uint64_t random_turn(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

/* xoshiro256**, as in Lua's lmathlib.c: Blackman and Vigna, https://prng.di.unimi.it */
static uint64_t random_next(uint64_t *state)
{
    uint64_t one = state[1], result = random_turn(one * 5, 7) * 9, two = state[2] ^ state[0],
             three = state[3] ^ state[1];
    state[1] = one ^ two;
    state[0] ^= three;
    state[2] = two ^ (one << 17);
    state[3] = random_turn(three, 45);
    return result;
}

double random_float(uint64_t *state)
{
    return (double)(random_next(state) >> 11) * 0x1p-53;
}

/* Marsaglia's polar method, of whose two numbers one is taken: so there is no state besides. */
double random_normal(uint64_t *state)
{
    double x, y, square;
    do {
        x = 2 * random_float(state) - 1;
        y = 2 * random_float(state) - 1;
        square = x * x + y * y;
    } while (square >= 1 || square == 0);
    return x * sqrt(-2 * log(square) / square);
}

/* As math.random(0, most) does: bits that are too large are drawn again. */
uint64_t random_integer(uint64_t *state, uint64_t most)
{
    uint64_t value = random_next(state);
    if ((most & (most + 1)) == 0)
        return value & most;
    uint64_t mask = most;
    for (int shift = 1; shift < 64; shift *= 2)
        mask |= mask >> shift;
    while ((value &= mask) > most)
        value = random_next(state);
    return value;
}

/* Whether the words of state are what math.random, which is on top, goes by. Its state is as before
 * then. */
static int random_is_state(lua_State *L, uint64_t *state)
{
    uint64_t before[4];
    memcpy(before, state, sizeof before);
    double expected = random_float(before);
    memcpy(before, state, sizeof before);
    lua_pushvalue(L, -1);
    lua_call(L, 0, 1);
    int is_same = lua_tonumber(L, -1) == expected;
    lua_pop(L, 1);
    memcpy(state, before, sizeof before);
    return is_same;
}

void random_open(lua_State *L)
{
    int top = lua_gettop(L);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, LUA_MATHLIBNAME) == LUA_TTABLE &&
        lua_getfield(L, -1, "random") == LUA_TFUNCTION && lua_iscfunction(L, -1) &&
        lua_getupvalue(L, -1, 1) != NULL && lua_type(L, -1) == LUA_TUSERDATA &&
        lua_rawlen(L, -1) == 4 * sizeof(uint64_t)) {
        lua_pushvalue(L, -2);
        if (random_is_state(L, lua_touserdata(L, -2))) {
            lua_pop(L, 1);
            lua_rawsetp(L, LUA_REGISTRYINDEX, &random_key);
        }
    }
    lua_settop(L, top);
}

uint64_t *random_state(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &random_key);
    uint64_t *state = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (state == NULL)
        luaL_error(L, "this Lua keeps the state of math.random in an unknown way, so num has no "
                      "random numbers");
    return state;
}
