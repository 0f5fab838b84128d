#include "exact/order.h"

#include <lauxlib.h>

#include "exact/nodes.h"
#include "exact/points.h"

/* A record: {keys, places, n}: keys[i] is the i-th key (weak), places[key] = i (weak). */
enum { ORDER_KEYS = 1, ORDER_PLACES = 2, ORDER_COUNT = 3 };

/* Pushes the record of the table at index and returns 1, or returns 0. */
static int order_push_record(lua_State *L, const struct exact *exact, int table)
{
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->orders);
    lua_pushvalue(L, table);
    int found = lua_rawget(L, -2) == LUA_TTABLE;
    lua_remove(L, -2);
    if (!found)
        lua_pop(L, 1);
    return found;
}

/* The place of the key at index, or 0. One that a finalizer has brought back has none any more,
 * even if `places` has it still: Lua takes weak values out before finalizers run, weak keys behind.
 */
static lua_Integer order_place(lua_State *L, int record, int key)
{
    int top = lua_gettop(L);
    lua_rawgeti(L, record, ORDER_PLACES);
    lua_pushvalue(L, key);
    lua_rawget(L, -2);
    lua_Integer place = lua_tointeger(L, -1);
    lua_rawgeti(L, record, ORDER_KEYS);
    lua_rawgeti(L, -1, place);
    int is_there = lua_rawequal(L, -1, key);
    lua_settop(L, top);
    return is_there ? place : 0;
}

/* Pushes the first recorded key from place `at` on that is still in the table, and its value, and
 * returns 1. The record is on top; it is popped. */
static int order_recorded(lua_State *L, int table, lua_Integer at)
{
    lua_rawgeti(L, -1, ORDER_COUNT);
    lua_Integer count = lua_tointeger(L, -1);
    lua_pop(L, 1);
    lua_rawgeti(L, -1, ORDER_KEYS);
    lua_remove(L, -2);
    for (; at <= count; at++) {
        if (lua_rawgeti(L, -1, at) != LUA_TNIL) {
            lua_pushvalue(L, -1);
            if (lua_rawget(L, table) != LUA_TNIL) {
                lua_remove(L, -3);
                return 1;
            }
            lua_pop(L, 1);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return 0;
}

/* As lua_next from the key on top, but over recorded keys. */
static int order_added(lua_State *L, int table, int record)
{
    while (lua_next(L, table) != 0) {
        if (order_place(L, record, lua_gettop(L) - 1) == 0)
            return 1;
        lua_pop(L, 1);
    }
    return 0;
}

/* As lua_next; the record is below the key. Leaves nothing of both. */
static int order_step(lua_State *L, int table)
{
    int record = lua_gettop(L) - 1, key = record + 1, more = 0;
    lua_Integer place = lua_isnil(L, key) ? 0 : order_place(L, record, key);
    int is_added = !lua_isnil(L, key) && place == 0;
    if (!is_added) {
        lua_pushvalue(L, record);
        more = order_recorded(L, table, place + 1);
    }
    if (!more) {
        lua_settop(L, key);
        if (is_added)
            lua_pushvalue(L, key);
        else
            lua_pushnil(L);
        more = order_added(L, table, record);
    }
    lua_remove(L, key);
    lua_remove(L, record);
    return more;
}

/* As lua_next. */
static int order_next(lua_State *L, const struct exact *exact, int table)
{
    if (exact->orders_count == 0)
        return lua_next(L, table);
    luaL_checkstack(L, 10, NULL);
    if (!order_push_record(L, exact, table))
        return lua_next(L, table);
    lua_insert(L, -2);
    return order_step(L, table);
}

/* next(table [, key]) */
static int order_lua_next(lua_State *L)
{
    luaL_checktype(L, 1, LUA_TTABLE);
    lua_settop(L, 2);
    if (order_next(L, exact_of(L), 1))
        return 2;
    lua_pushnil(L);
    return 1;
}

static int order_paired(lua_State *L, int status, lua_KContext context)
{
    (void)L;
    (void)status;
    (void)context;
    return 3;
}

/* pairs(table); upvalue: next */
static int order_lua_pairs(lua_State *L)
{
    luaL_checkany(L, 1);
    if (luaL_getmetafield(L, 1, "__pairs") == LUA_TNIL) {
        lua_pushvalue(L, lua_upvalueindex(1));
        lua_pushvalue(L, 1);
        lua_pushnil(L);
    } else {
        lua_pushvalue(L, 1);
        lua_callk(L, 1, 3, 0, order_paired);
    }
    return 3;
}

int order_walk(lua_State *L, void *context, int table)
{
    return order_next(L, context, table);
}

int order_is_other(lua_State *L, void *context, int table)
{
    const struct exact *exact = context;
    if (exact->orders_count == 0)
        return 0;
    luaL_checkstack(L, 4, NULL);
    int is_other = order_push_record(L, exact, table);
    lua_pop(L, is_other);
    return is_other;
}

int order_is_next(lua_State *L, int index)
{
    return lua_tocfunction(L, index) == order_lua_next;
}

void order_push_next(lua_State *L, struct exact *exact, int table)
{
    if (order_next(L, exact, table))
        lua_pop(L, 1);
    else
        lua_pushnil(L);
}

/* ---------------------------------------------------------------- records */

/* Whether Lua gives the keys of the table in the order of the list. */
static int order_is_same(lua_State *L, int table, int keys)
{
    lua_Integer at = 0;
    int same = 1;
    lua_pushnil(L);
    while (same && lua_next(L, table) != 0) {
        lua_pop(L, 1);
        lua_rawgeti(L, keys, ++at);
        same = lua_rawequal(L, -1, -2);
        lua_pop(L, 1);
    }
    if (!same)
        lua_pop(L, 1);
    return same;
}

/* Pushes a table whose keys or values are weak. */
static void order_push_weak(lua_State *L, const char *mode)
{
    lua_newtable(L);
    lua_createtable(L, 0, 1);
    lua_pushstring(L, mode);
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

/* orders[table] = a record of the keys in the list. Pushes it. */
static void order_add(lua_State *L, struct exact *exact, int table, int keys)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, keys);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->orders);
    lua_pushvalue(L, table);
    lua_createtable(L, 3, 0);
    order_push_weak(L, "v");
    order_push_weak(L, "k");
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, keys, i);
        lua_pushvalue(L, -1);
        lua_rawseti(L, -4, i);
        lua_pushinteger(L, i);
        lua_rawset(L, -3);
    }
    lua_rawseti(L, -3, ORDER_PLACES);
    lua_rawseti(L, -2, ORDER_KEYS);
    lua_pushinteger(L, count);
    lua_rawseti(L, -2, ORDER_COUNT);
    lua_pushvalue(L, -1);
    lua_insert(L, -4);
    lua_rawset(L, -3);
    lua_pop(L, 1);
    exact->orders_count++;
}

void order_keep(lua_State *L, void *context, int table, int keys)
{
    table = lua_absindex(L, table);
    keys = lua_absindex(L, keys);
    luaL_checkstack(L, 10, NULL);
    if (order_is_same(L, table, keys))
        return;
    order_add(L, context, table, keys);
    lua_pop(L, 1);
}

/* Pushes the record of the table, which is made of the order in which Lua gives its keys where
 * there is none. */
static void order_need_record(lua_State *L, struct exact *exact, int table)
{
    lua_Integer count = 0;
    if (order_push_record(L, exact, table))
        return;
    lua_newtable(L);
    int keys = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0;) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawseti(L, keys, ++count);
    }
    order_add(L, exact, table, keys);
    lua_remove(L, keys);
}

/* Moves the keys of the record from `place` on by one, and puts the key there; 0: behind all.
 * places[keys[i]] >= i must hold, or a walk would not end. (It is more where a key is listed twice,
 * as no encoder does.) */
static void order_insert(lua_State *L, int record, lua_Integer place, int key)
{
    int keys = lua_gettop(L) + 1, places = keys + 1;
    lua_rawgeti(L, record, ORDER_KEYS);
    lua_rawgeti(L, record, ORDER_PLACES);
    lua_rawgeti(L, record, ORDER_COUNT);
    lua_Integer count = lua_tointeger(L, -1);
    lua_pop(L, 1);
    if (place == 0)
        place = count + 1;
    for (lua_Integer i = count; i >= place; i--) {
        if (lua_rawgeti(L, keys, i) != LUA_TNIL) {
            lua_pushvalue(L, -1);
            lua_pushvalue(L, -1);
            lua_rawget(L, places);
            lua_Integer now = lua_tointeger(L, -1);
            lua_pop(L, 1);
            lua_pushinteger(L, now == i ? i + 1 : now);
            lua_rawset(L, places);
        }
        lua_rawseti(L, keys, i + 1);
    }
    lua_pushvalue(L, key);
    lua_rawseti(L, keys, place);
    lua_pushvalue(L, key);
    lua_pushinteger(L, place);
    lua_rawset(L, places);
    lua_pushinteger(L, count + 1);
    lua_rawseti(L, record, ORDER_COUNT);
    lua_settop(L, keys - 1);
}

void order_resume(lua_State *L, struct exact *exact, int table, int key, int successor)
{
    int top = lua_gettop(L);
    luaL_checkstack(L, 12, NULL);
    lua_pushvalue(L, key);
    int is_known = nodes_know(L, table);
    lua_pop(L, 1);
    if (is_known)
        return;
    order_need_record(L, exact, table);
    int record = top + 1;
    if (order_place(L, record, key) == 0) { /* else it has a place already, by another loop */
        lua_Integer place = lua_isnil(L, successor) ? 0 : order_place(L, record, successor);
        order_insert(L, record, place, key);
    }
    lua_settop(L, top);
}

void order_open(lua_State *L, struct exact *exact)
{
    int own = exact_own(exact, ZONE_HOSTS);
    order_push_weak(L, "k");
    exact_own(exact, own);
    exact->orders = luaL_ref(L, LUA_REGISTRYINDEX);
    lua_pushglobaltable(L);
    lua_pushcfunction(L, order_lua_next);
    lua_pushvalue(L, -1);
    lua_pushcclosure(L, order_lua_pairs, 1);
    lua_setfield(L, -3, "pairs");
    lua_setfield(L, -2, "next");
    lua_pop(L, 1);
    points_add(L, exact, order_lua_pairs, POINT_CALL, order_paired, 3);
}
