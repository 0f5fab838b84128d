#include "value/walker.h"

#include <lauxlib.h>

static void walker_count(lua_State *L, int table, uint32_t *sequence, uint32_t *others)
{
    lua_Integer in_sequence = 0, count = 0;
    lua_pushnil(L);
    while (lua_next(L, table) != 0) {
        lua_pop(L, 1);
        if (count == in_sequence && lua_isinteger(L, -1) && lua_tointeger(L, -1) == in_sequence + 1)
            in_sequence++;
        count++;
    }
    if (count > INT32_MAX)
        luaL_error(L, "a table of %I entries is too large", count);
    *sequence = (uint32_t)in_sequence;
    *others = (uint32_t)(count - in_sequence);
}

const struct walker walker_public = {walker_count, lua_next};
