#include "value/walker.h"

#include <lauxlib.h>

/* Whether `key` goes on a sequence of `used` values whose last key is `last`. As in Lua's own array
 * part at least half of the places are used, so that {1, 2, nil, 4} keeps its length. */
static int walker_goes_on(lua_Integer key, lua_Integer last, lua_Integer used)
{
    return key > last && key <= 2 * (used + 1);
}

static int walker_next(lua_State *L, void *context, int table)
{
    (void)context;
    return lua_next(L, table);
}

const struct walker walker_public = {walker_next, NULL, NULL, NULL, NULL};

void walker_count(lua_State *L, const struct walker *walker, int table, uint32_t *sequence,
                  uint32_t *others)
{
    lua_Integer used = 0, last = 0, count = 0;
    int in_sequence = 1;
    lua_pushnil(L);
    while (walker->next(L, walker->context, table) != 0) {
        lua_pop(L, 1);
        count++;
        if (in_sequence && lua_isinteger(L, -1) &&
            walker_goes_on(lua_tointeger(L, -1), last, used)) {
            last = lua_tointeger(L, -1);
            used++;
        } else {
            in_sequence = 0;
        }
    }
    if (count > INT32_MAX || last > INT32_MAX)
        luaL_error(L, "a table of %I entries is too large", count);
    *sequence = (uint32_t)last;
    *others = (uint32_t)(count - used);
}
