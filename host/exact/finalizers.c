#include "exact/finalizers.h"

#include <limits.h>
#include <stdlib.h>

#include <lauxlib.h>

#include "value/idmap.h"

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

int finalizers_have_run(lua_State *L, void *context, int index)
{
    (void)context;
    if (!luaL_getmetafield(L, index, "__gc"))
        return 0;
    lua_pop(L, 1);
    return (vm_object_at(L, index)->marked & VM_HAS_FINALIZER) == 0;
}

void finalizers_forget(lua_State *L, void *context)
{
    const struct exact *exact = context;
    struct vm_global *global = vm_thread(L)->global;
    struct vm_object *object = vm_object_at(L, -1);
    /* It was the last one that was marked. In the generational mode the lists have parts. */
    if (!exact->is_checked || global->finalized != object ||
        global->modes[VM_MODE_STATE] != VM_STATE_PAUSE ||
        global->modes[VM_MODE_KIND] != VM_KIND_INCREMENTAL)
        return;
    global->finalized = object->next;
    object->next = global->all;
    global->all = object;
    object->marked &= (uint8_t)~VM_HAS_FINALIZER;
}

/* Numbers the tables of the list by their addresses. Returns 0, or -1 when out of memory. */
static int finalizers_number(lua_State *L, int list, lua_Integer count, struct idmap *numbers)
{
    int status = 0;
    for (lua_Integer i = 1; i <= count && status == 0; i++) {
        if (lua_rawgeti(L, list, i) == LUA_TTABLE) {
            struct idmap_entry *entry = idmap_find(numbers, lua_topointer(L, -1));
            if (entry == NULL)
                status = -1;
            else
                entry->number = (uint64_t)i;
        }
        lua_pop(L, 1);
    }
    return status;
}

static void finalizers_move(struct vm_global *global, const struct idmap *numbers,
                            struct vm_object **found, lua_Integer count)
{
    struct vm_object **at = &global->all;
    while (*at != NULL) {
        struct vm_object *object = *at;
        uint64_t number = object->type == VM_TABLE ? idmap_get(numbers, object) : 0;
        if (number != 0) {
            found[number - 1] = object;
            *at = object->next;
        } else {
            at = &object->next;
        }
    }
    for (lua_Integer i = count - 1; i >= 0; i--)
        if (found[i] != NULL) {
            found[i]->next = global->all;
            global->all = found[i];
        }
}

void finalizers_gather(lua_State *L, int list)
{
    struct vm_global *global = vm_thread(L)->global;
    struct idmap numbers = {0};
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    list = lua_absindex(L, list);
    luaL_checkstack(L, 2, NULL);
    /* In the generational mode the list has parts. */
    if (global->modes[VM_MODE_STATE] != VM_STATE_PAUSE ||
        global->modes[VM_MODE_KIND] != VM_KIND_INCREMENTAL)
        return;
    struct vm_object **found = calloc((size_t)count + 1, sizeof *found);
    if (found != NULL && finalizers_number(L, list, count, &numbers) == 0)
        finalizers_move(global, &numbers, found, count);
    free(found);
    idmap_free(&numbers);
}
