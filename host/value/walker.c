#include "value/walker.h"

#include <lauxlib.h>

static int walker_next(lua_State *L, void *context, int table)
{
    (void)context;
    return lua_next(L, table);
}

const struct walker walker_public = {walker_next, NULL, NULL, NULL, NULL};

void walker_count(lua_State *L, const struct walker *walker, int table,
                  struct walker_counts *counts)
{
    *counts = (struct walker_counts){0};
    lua_pushnil(L);
    while (walker->next(L, walker->context, table) != 0) {
        lua_pop(L, 1);
        if (lua_isinteger(L, -1))
            walker_add_integer(counts, lua_tointeger(L, -1));
        else
            walker_add_other(counts);
    }
}

void walker_sizes(lua_State *L, const struct walker_counts *counts, uint32_t *sequence,
                  uint32_t *others)
{
    if (counts->entries > INT32_MAX || counts->last > INT32_MAX)
        luaL_error(L, "a table of %I entries is too large", counts->entries);
    *sequence = (uint32_t)counts->last;
    *others = (uint32_t)(counts->entries - counts->used);
}
