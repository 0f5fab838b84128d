#include "exact/finalizers.h"

#include <limits.h>

#include <lauxlib.h>

/* The tables in a list of the collector. */
static lua_Integer finalizers_count(const struct vm_object *object)
{
    lua_Integer count = 0;
    for (; object != NULL; object = object->next)
        count += object->type == VM_TABLE;
    return count;
}

void finalizers_open(lua_State *L, struct exact *exact)
{
    exact->finalizers_of_libraries =
        exact->is_checked ? finalizers_count(vm_thread(L)->global->finalized) : 0;
}

/* Puts them into the table on top: list[last], list[last - 1], ...; no more than down to 1. */
static void finalizers_fill(lua_State *L, const struct vm_object *object, lua_Integer last)
{
    for (; object != NULL && last > 0; object = object->next) {
        if (object->type != VM_TABLE)
            continue;
        vm_push_object(L, object);
        lua_rawseti(L, -2, last--);
    }
}

void finalizers_push(lua_State *L, void *context)
{
    const struct exact *exact = context;
    /* Lua puts a new one in front, and takes the foremost. */
    const struct vm_object *marked = vm_thread(L)->global->finalized;
    const struct vm_object *waiting = vm_thread(L)->global->waiting;
    lua_Integer count = finalizers_count(marked) - exact->finalizers_of_libraries;
    lua_Integer all = count + finalizers_count(waiting);
    luaL_checkstack(L, 4, NULL);
    lua_createtable(L, all > INT_MAX ? 0 : (int)all, 0);
    finalizers_fill(L, waiting, all);
    finalizers_fill(L, marked, count);
}
