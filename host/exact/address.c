#include "exact/address.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "value/names.h"
#include "value/registry.h"

static struct zone *address_zone(const struct exact *exact)
{
    return exact->addresses.zone;
}

/* Where Lua has the object at index; for functions in C without upvalues, their code. What is told
 * of a userdata by lua_topointer is its block, which may be empty, and so lie behind it. */
static const void *address_object(lua_State *L, int index)
{
    if (lua_type(L, index) != LUA_TUSERDATA)
        return lua_topointer(L, index);
    return vm_object_at(L, index);
}

/* Bytes of it, where it may be large. */
static size_t address_size(lua_State *L, int index, const void *object)
{
    if (lua_type(L, index) != LUA_TUSERDATA)
        return 0;
    const char *block = lua_touserdata(L, index);
    return (size_t)(block - (const char *)object) + (size_t)lua_rawlen(L, index);
}

static int address_is_code(lua_State *L, int index)
{
    return lua_iscfunction(L, index) &&
           (const void *)(uintptr_t)lua_tocfunction(L, index) == address_object(L, index);
}

static uint64_t address_mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * UINT64_C(0x9E3779B97F4A7C15);
    return sum ^ sum >> 29;
}

/* ---------------------------------------------------------------- lists of ranges */

static void address_add(lua_State *L, struct address_list *list, const struct places_range *range)
{
    if (list->count == list->room) {
        size_t room = list->room == 0 ? 64 : 2 * list->room;
        struct places_range *ranges = realloc(list->ranges, room * sizeof *ranges);
        if (ranges == NULL)
            luaL_error(L, "not enough memory");
        list->ranges = ranges;
        list->room = room;
    }
    list->ranges[list->count++] = *range;
}

static void address_free(struct address_list *list)
{
    free(list->ranges);
    *list = (struct address_list){0};
}

/* ---------------------------------------------------------------- the base environment */

void address_open(lua_State *L, struct exact *exact)
{
    luaL_Buffer text;
    int own = exact_own(exact, ZONE_HOSTS);
    luaL_buffinitsize(L, &text, 2 * sizeof text);
    luaL_pushresultsize(&text, 0);
    lua_pop(L, 1);
    exact_own(exact, own);
}

void address_begin(lua_State *L, struct exact *exact, int first, int last)
{
    struct addresses *addresses = &exact->addresses;
    struct zone *zone = addresses->zone;
    struct places_marks marks;
    struct places_range range;
    struct places_walk walk = {&marks, 0}, again = {&marks, 0};
    size_t count = 0;
    address_free(&addresses->base);
    addresses->number = 0;
    if (zone == NULL || places_open_marks(zone, &marks) != 0)
        return; /* then there are no places */
    for (; first <= last; first++)
        places_mark(zone, &marks, address_object(L, first), 0);
    while (places_next(zone, &walk, &range))
        count++;
    addresses->base.ranges = calloc(count + 1, sizeof range);
    addresses->base.room = addresses->base.ranges == NULL ? 0 : count;
    while (addresses->base.count < addresses->base.room && places_next(zone, &again, &range))
        addresses->base.ranges[addresses->base.count++] = range;
    places_close_marks(&marks);
}

void address_close(struct exact *exact)
{
    address_close_marks(exact);
    address_free(&exact->addresses.base);
    exact->addresses = (struct addresses){0};
}

/* What has a name is known to be there: the sum is the same in whatever order. */
static uint64_t address_of_names(lua_State *L, const struct zone *zone)
{
    uint64_t sum = 0;
    names_push_all(L);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        uint64_t name = 0;
        for (const char *at = lua_tostring(L, -1); at != NULL && *at != '\0'; at++)
            name = name * 31 + (unsigned char)*at;
        sum += address_mix(name, places_of(zone, address_object(L, -2)));
    }
    lua_pop(L, 1);
    return sum;
}

/* All of it stays where it is. */
static uint64_t address_of_base(lua_State *L, struct addresses *addresses)
{
    uint64_t sum = 0;
    if (addresses->number != 0)
        return addresses->number;
    luaL_checkstack(L, 6, NULL);
    for (size_t i = 0; i < addresses->base.count; i++)
        sum = address_mix(address_mix(sum, addresses->base.ranges[i].first),
                          addresses->base.ranges[i].count);
    sum += address_of_names(L, addresses->zone);
    return addresses->number = sum == 0 ? 1 : sum;
}

int address_numbers(lua_State *L, struct exact *exact, lua_Integer *base, lua_Integer *code)
{
    struct addresses *addresses = &exact->addresses;
    if (addresses->base.count == 0)
        return 0;
    *base = (lua_Integer)address_of_base(L, addresses);
    uint64_t sum = address_mix(0, (uint32_t)(uintptr_t)exact->gmatch);
    *code = (lua_Integer)address_mix(sum, (uint32_t)(uintptr_t)exact->handler);
    return 1;
}

int address_restore(lua_State *L, struct exact *exact, lua_Integer base, lua_Integer code)
{
    struct addresses *addresses = &exact->addresses;
    lua_Integer own_base, own_code;
    addresses->missed = 0;
    addresses->used = address_numbers(L, exact, &own_base, &own_code) && own_base == base;
    addresses->has_code = addresses->used && own_code == code;
    return addresses->used;
}

/* ---------------------------------------------------------------- saving */

void address_open_marks(lua_State *L, struct exact *exact)
{
    struct addresses *addresses = &exact->addresses;
    if (addresses->base.count == 0)
        return;
    if (places_open_marks(addresses->zone, &addresses->marks) != 0)
        luaL_error(L, "not enough memory");
    addresses->marking = 1;
    addresses->walk = (struct places_walk){&addresses->marks, 0};
    for (size_t i = 0; i < addresses->base.count; i++)
        places_mark_range(&addresses->marks, &addresses->base.ranges[i]);
}

void address_close_marks(struct exact *exact)
{
    struct addresses *addresses = &exact->addresses;
    if (addresses->marking)
        places_close_marks(&addresses->marks);
    addresses->marking = addresses->knows_waiting = 0;
    address_free(&addresses->waiting);
}

uint64_t address_of(lua_State *L, void *context, int index)
{
    struct addresses *addresses = &((struct exact *)context)->addresses;
    if (!addresses->marking)
        return CODE_NO_PLACE;
    const void *object = address_object(L, index);
    uint64_t place = places_of(addresses->zone, object);
    size_t size = address_size(L, index, object);
    /* One that is marked is of the base environment. */
    return places_mark_place(&addresses->marks, place, size) == 0 ? place : CODE_NO_PLACE;
}

int address_push(lua_State *L, struct exact *exact, int index)
{
    if (!exact->addresses.marking)
        return 0;
    lua_pushinteger(L, (lua_Integer)address_of(L, exact, index));
    return 1;
}

uint64_t address_pop(lua_State *L, int *count, int without)
{
    if (*count <= without)
        return CODE_NO_PLACE;
    uint64_t place = (uint64_t)luaL_checkinteger(L, -1);
    lua_pop(L, 1);
    --*count;
    return place;
}

/* Userdata with a finalizer that nothing refers to: the next collection calls that, and only the
 * one behind it frees the object. */
static void address_add_waiting(lua_State *L, struct addresses *addresses,
                                const struct vm_object *object)
{
    for (; object != NULL; object = object->next) {
        if ((object->type & 0x0F) != LUA_TUSERDATA)
            continue;
        vm_push_object(L, object);
        size_t size = address_size(L, -1, object);
        lua_pop(L, 1);
        if (places_mark(addresses->zone, &addresses->marks, object, size) != 0)
            continue;
        struct places_range range = {.first = places_of(addresses->zone, object)};
        range.count = places_cells(range.first, size);
        address_add(L, &addresses->waiting, &range);
    }
}

static void address_find_waiting(lua_State *L, struct addresses *addresses)
{
    struct places_range range;
    const struct vm_global *global = vm_thread(L)->global;
    luaL_checkstack(L, 2, NULL);
    for (size_t from = 0; places_next_longer(addresses->zone, &from, &range);) {
        places_mark_range(&addresses->marks, &range);
        address_add(L, &addresses->waiting, &range);
    }
    address_add_waiting(L, addresses, global->finalized);
    address_add_waiting(L, addresses, global->waiting);
    addresses->knows_waiting = 1;
}

int address_next_garbage(lua_State *L, void *context, struct code_garbage *garbage)
{
    struct addresses *addresses = &((struct exact *)context)->addresses;
    struct places_range range;
    if (!addresses->marking)
        return 0;
    if (!addresses->knows_waiting)
        address_find_waiting(L, addresses);
    garbage->waits = addresses->waiting_at < addresses->waiting.count;
    if (garbage->waits) {
        range = addresses->waiting.ranges[addresses->waiting_at++];
    } else if (!places_next(addresses->zone, &addresses->walk, &range)) {
        addresses->waiting_at = 0; /* the next call begins anew */
        addresses->walk.next = 0;
        return 0;
    }
    garbage->first = range.first;
    garbage->count = range.count;
    return 1;
}

/* ---------------------------------------------------------------- restoring */

void address_want(struct addresses *addresses, uint64_t place)
{
    if (addresses == NULL || addresses->zone == NULL)
        return;
    addresses->was_own = zone_own(addresses->zone, 0);
    if (place == PLACES_OWN) {
        zone_own(addresses->zone, addresses->was_own);
        places_want_own(addresses->zone, LUA_TFUNCTION);
    } else if (addresses->used && place != CODE_NO_PLACE) {
        places_want(addresses->zone, place);
    }
}

void address_want_too(struct addresses *addresses, uint64_t place)
{
    if (addresses->used && place != CODE_NO_PLACE)
        places_want(addresses->zone, place);
}

void address_check(lua_State *L, struct addresses *addresses, uint64_t place)
{
    if (addresses->used && place != CODE_NO_PLACE && place != PLACES_OWN &&
        places_of(addresses->zone, address_object(L, -1)) != place)
        addresses->missed++;
}

void address_made(lua_State *L, struct addresses *addresses, uint64_t place)
{
    if (addresses == NULL || addresses->zone == NULL)
        return;
    places_want_none(addresses->zone);
    zone_own(addresses->zone, addresses->was_own);
    address_check(L, addresses, place);
}

void address_table(lua_State *L, void *context, uint32_t array, uint32_t hash, uint64_t place)
{
    struct addresses *addresses = &((struct exact *)context)->addresses;
    address_want(addresses, place);
    if (place == CODE_NO_PLACE && addresses->zone != NULL)
        places_want_own(addresses->zone, LUA_TTABLE);
    lua_createtable(L, (int)array, (int)hash);
    address_made(L, addresses, place);
}

void address_load(lua_State *L, void *context, const struct userdata_type *type, const char *data,
                  size_t size, uint64_t place)
{
    struct addresses *addresses = &((struct exact *)context)->addresses;
    address_want(addresses, place);
    exact_own(context, ZONE_HOSTS); /* but for the userdata, which is wanted */
    type->load(L, data, size);
    address_made(L, addresses, place);
}

void address_set_own(lua_State *L, void *context, int on)
{
    struct zone *zone = address_zone(context);
    (void)L;
    exact_own(context, on ? ZONE_HOSTS : ZONE_SCRIPTS);
    if (zone != NULL && on)
        places_want_none(zone);
    else if (zone != NULL) /* a large string comes by way of a buffer, which has a finalizer */
        places_want_own(zone, LUA_TUSERDATA);
}

void address_hold(lua_State *L, void *context, const struct code_garbage *garbage)
{
    struct addresses *addresses = &((struct exact *)context)->addresses;
    const struct places_range range = {garbage->first, garbage->count};
    (void)L;
    if (!addresses->used)
        return;
    int status = garbage->waits ? places_hold_longer(addresses->zone, &range)
                                : places_hold(addresses->zone, &range);
    addresses->missed += status != 0;
}

int address_is_there(lua_State *L, const void *context, int key)
{
    const struct addresses *addresses = &((const struct exact *)context)->addresses;
    if (!addresses->used || addresses->missed > 0)
        return 0;
    if (lua_islightuserdata(L, key)) /* null: none else is in a snapshot */
        return 1;
    if (!address_is_code(L, key))
        return places_of(addresses->zone, address_object(L, key)) != PLACES_NONE;
    /* Others are those of modules, which are loaded anywhere. */
    const struct idmap *named = names_push_map(L);
    int is_named = idmap_has(named, lua_topointer(L, key));
    lua_pop(L, 1);
    return addresses->has_code && is_named;
}

/* ---------------------------------------------------------------- the collector */

static const char address_sentinel; /* registry: {a userdata}, weak */

void address_watch(lua_State *L, struct exact *exact)
{
    struct addresses *addresses = &exact->addresses;
    if (addresses->zone == NULL || addresses->zone->phantoms_count == 0)
        return;
    luaL_checkstack(L, 4, NULL);
    lua_createtable(L, 1, 0);
    lua_createtable(L, 0, 1);
    lua_pushliteral(L, "v");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_newuserdatauv(L, 0, 0);
    lua_rawseti(L, -2, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &address_sentinel);
    addresses->watches = 1;
}

void address_look(lua_State *L, struct exact *exact)
{
    int top = lua_gettop(L);
    if (!exact->addresses.watches || !lua_checkstack(L, 2))
        return;
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &address_sentinel) == LUA_TTABLE &&
        lua_rawgeti(L, -1, 1) == LUA_TNIL) {
        address_collected(exact);
        address_collected(exact); /* what was to wait, too */
    }
    lua_settop(L, top);
}

void address_collected(struct exact *exact)
{
    exact->addresses.watches = 0;
    if (address_zone(exact) != NULL)
        places_release(address_zone(exact));
}
