#include "exact/points.h"

#include <stdlib.h>

#include <lauxlib.h>

void points_add(lua_State *L, struct exact *exact, lua_CFunction function, enum point_kind kind,
                lua_KFunction continuation, int results)
{
    if (exact->points_count == exact->points_room) {
        int room = exact->points_room == 0 ? 16 : 2 * exact->points_room;
        struct exact_point *points = realloc(exact->points, (size_t)room * sizeof *points);
        if (points == NULL)
            luaL_error(L, "not enough memory");
        exact->points = points;
        exact->points_room = room;
    }
    exact->points[exact->points_count++] =
        (struct exact_point){function, kind, continuation, results};
}

const struct exact_point *points_find(lua_State *L, const struct exact *exact, int index)
{
    lua_CFunction function = lua_tocfunction(L, index);
    for (int i = 0; i < exact->points_count; i++)
        if (exact->points[i].function == function)
            return &exact->points[i];
    return NULL;
}
