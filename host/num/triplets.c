#include "num/triplets.h"

#include "num/array.h"

struct triplets triplets_push(lua_State *L, int64_t most)
{
    struct triplets triplets = {0};
    triplets.row = array_push_room(L, most, sizeof *triplets.row);
    triplets.column = array_push_room(L, most, sizeof *triplets.column);
    triplets.value = array_push_room(L, most, sizeof *triplets.value);
    return triplets;
}
