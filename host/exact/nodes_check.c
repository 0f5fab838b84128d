#include "exact/nodes_check.h"

#include <string.h>

#include <lauxlib.h>

#include "exact/heap.h"
#include "exact/nodes.h"

enum {
    NODES_CHECK_STEPS = 60,
    NODES_CHECK_KEYS = 40,
    NODES_CHECK_TABLES = 6,
    NODES_CHECK_SEED = 7
};

/* Two states, and the number that decides what happens in them. */
struct nodes_pair {
    struct heap heaps[2];
    lua_State *states[2]; /* each has the table on top */
    uint32_t random;
    const char *wrong;
};

static uint32_t nodes_random(struct nodes_pair *pair, uint32_t limit)
{
    pair->random = pair->random * UINT32_C(1664525) + UINT32_C(1013904223);
    return (pair->random >> 8) % limit;
}

/* Pushes a key of any kind but objects. */
static void nodes_push_key(lua_State *L, uint32_t kind, uint32_t number)
{
    switch (kind) {
    case 0:
        lua_pushinteger(L, number);
        break;
    case 1:
        lua_pushinteger(L, (lua_Integer)number * -1000);
        break;
    case 2:
        lua_pushnumber(L, number + 0.5);
        break;
    case 3:
        lua_pushfstring(L, "key %d, longer than the strings that are kept only once", number);
        break;
    default:
        lua_pushfstring(L, "key %d", number);
    }
}

/* One change of the table in the states from `first` on. */
static void nodes_change(struct nodes_pair *pair, int first, int last)
{
    uint32_t kind = nodes_random(pair, 6), number = nodes_random(pair, NODES_CHECK_KEYS);
    uint32_t what = nodes_random(pair, 8);
    for (int i = first; i <= last; i++) {
        lua_State *L = pair->states[i];
        nodes_push_key(L, kind, number);
        if (what < 3)
            lua_pushnil(L);
        else
            lua_pushinteger(L, (lua_Integer)what);
        lua_rawset(L, -3);
        if (what == 7)
            lua_rawlen(L, -1); /* may move a limit */
    }
}

/* Pushes onto `to` the number or string on top of `from`, and pops it. */
static void nodes_move(lua_State *from, lua_State *to)
{
    size_t size;
    if (lua_isinteger(from, -1)) {
        lua_pushinteger(to, lua_tointeger(from, -1));
    } else if (lua_type(from, -1) == LUA_TNUMBER) {
        lua_pushnumber(to, lua_tonumber(from, -1));
    } else if (lua_type(from, -1) == LUA_TSTRING) {
        const char *text = lua_tolstring(from, -1, &size);
        lua_pushlstring(to, text, size);
    } else {
        lua_pushnil(to);
    }
    lua_pop(from, 1);
}

/* Makes the first state's table in the second one. */
static void nodes_make_again(struct nodes_pair *pair)
{
    lua_State *from = pair->states[0], *to = pair->states[1];
    struct layout layout;
    int table = lua_gettop(from);
    nodes_writer.look(from, table, &layout);
    struct layout_place *places =
        lua_newuserdatauv(from, (layout.hash + 1) * sizeof(struct layout_place), 0);
    lua_createtable(to, (int)layout.array, (int)layout.hash);
    int made = lua_gettop(to);
    for (uint32_t i = 0; i < layout.array; i++) {
        nodes_writer.value(from, table, i);
        nodes_move(from, to);
        lua_rawseti(to, made, (lua_Integer)i + 1);
    }
    for (uint32_t i = 0; i < layout.hash; i++) {
        places[i] = nodes_writer.place(from, table, i);
        if (nodes_writer.entry(from, table, i)) {
            lua_insert(from, -2);
            nodes_move(from, to);
            nodes_move(from, to);
            nodes_reader.put(to, made, i);
        }
    }
    pair->wrong = nodes_reader.link(to, made, &layout, places);
    for (uint32_t i = 0; i < layout.hash && pair->wrong == NULL; i++) {
        if (places[i].state != LAYOUT_REMOVED)
            continue;
        nodes_writer.removed(from, table, i);
        if (lua_isnil(from, -1)) {
            lua_pop(from, 1);
        } else {
            nodes_move(from, to);
            pair->wrong = nodes_reader.remove(to, made, i, 0);
        }
    }
    lua_settop(from, table);
}

/* Whether the keys below the top are the same number or string. Makes nothing. */
static int nodes_is_same_key(lua_State *one, lua_State *other)
{
    size_t size, other_size;
    if (lua_type(one, -2) != lua_type(other, -2))
        return 0;
    if (lua_type(one, -2) == LUA_TNUMBER)
        return lua_isinteger(one, -2) == lua_isinteger(other, -2) &&
               lua_tonumber(one, -2) == lua_tonumber(other, -2);
    const char *text = lua_tolstring(one, -2, &size);
    const char *other_text = lua_tolstring(other, -2, &other_size);
    return text != NULL && other_text != NULL && size == other_size &&
           memcmp(text, other_text, size) == 0;
}

/* Whether both tables give the same keys and values in the same order, and the same length. */
static int nodes_are_same(lua_State *one, lua_State *other)
{
    lua_pushnil(one);
    lua_pushnil(other);
    for (;;) {
        int more = lua_next(one, -2);
        if (more != lua_next(other, -2))
            return 0;
        if (!more)
            return lua_rawlen(one, -1) == lua_rawlen(other, -1);
        if (lua_tointeger(one, -1) != lua_tointeger(other, -1) || !nodes_is_same_key(one, other))
            return 0;
        lua_pop(one, 1);
        lua_pop(other, 1);
    }
}

/* (struct nodes_pair *), in the first state */
static int nodes_try(lua_State *L)
{
    struct nodes_pair *pair = lua_touserdata(L, 1);
    lua_State *other = pair->states[1];
    luaL_checkstack(other, LUA_MINSTACK, NULL);
    for (int i = 0; i < NODES_CHECK_TABLES && pair->wrong == NULL; i++) {
        pair->states[0] = L;
        lua_newtable(L);
        for (int step = 0; step < NODES_CHECK_STEPS; step++)
            nodes_change(pair, 0, 0);
        if (i % 2 == 1)
            lua_gc(L, LUA_GCCOLLECT);
        nodes_make_again(pair);
        for (int step = 0; step < NODES_CHECK_STEPS && pair->wrong == NULL; step++) {
            nodes_change(pair, 0, 1);
            if (step % 8 == 7 && !nodes_are_same(L, other))
                pair->wrong = "the order of a table that was made again";
        }
        lua_settop(L, 1);
        lua_settop(other, 0);
        lua_gc(L, LUA_GCCOLLECT); /* the next one is to use the same memory */
        lua_gc(other, LUA_GCCOLLECT);
    }
    return 0;
}

int nodes_check_order(struct heap *heap, struct error *error)
{
    struct nodes_pair pair = {.random = NODES_CHECK_SEED};
    const char *failure = NULL;
    for (int i = 0; i < 2; i++) {
        pair.states[i] = heap_new_state_within(&pair.heaps[i], NODES_CHECK_SEED, heap);
        if (pair.states[i] == NULL)
            failure = "not enough memory";
        else if (!pair.heaps[i].seeded)
            failure = "the seed of hashes";
    }
    lua_State *L = pair.states[0];
    if (failure == NULL) {
        lua_gc(L, LUA_GCSTOP);
        lua_gc(pair.states[1], LUA_GCSTOP);
        lua_pushcfunction(L, nodes_try);
        lua_pushlightuserdata(L, &pair);
        failure = lua_pcall(L, 1, 0, 0) == LUA_OK ? pair.wrong : "not enough memory";
    }
    pair.states[0] = L;
    for (int i = 0; i < 2; i++)
        if (pair.states[i] != NULL)
            lua_close(pair.states[i]);
    return failure == NULL ? 0
                           : error_set(error, ERROR_INVALID,
                                       "this Lua differs from those known in %s", failure);
}
