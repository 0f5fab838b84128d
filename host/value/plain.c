#include "value/plain.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

static void plain_encode_at(lua_State *L, int index, struct pack *pack, int depth);

static int plain_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The number of pairs of the table at index; all keys must be strings. */
static uint32_t plain_count(lua_State *L, int index)
{
    uint32_t keys = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1)) {
        if (lua_type(L, -2) != LUA_TSTRING)
            luaL_error(L, "plain data with a key that is a %s", luaL_typename(L, -2));
        keys++;
    }
    return keys;
}

/* Pushes a userdata that holds the sorted keys of the table at index. */
static const char **plain_sorted_keys(lua_State *L, int index, uint32_t *count)
{
    uint32_t keys = plain_count(L, index);
    const char **names = lua_newuserdatauv(L, (keys + 1) * sizeof *names, 0);
    uint32_t at = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        names[at++] = lua_tostring(L, -2);
    qsort(names, keys, sizeof *names, plain_compare);
    *count = keys;
    return names;
}

static uint32_t plain_pairs_at(lua_State *L, int index, struct pack *pack, int depth)
{
    uint32_t count;
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    if (pack == NULL)
        return plain_count(L, index);
    const char **names = plain_sorted_keys(L, index, &count);
    for (uint32_t i = 0; i < count; i++) {
        pack_text(pack, names[i]);
        lua_getfield(L, index, names[i]);
        plain_encode_at(L, -1, pack, depth + 1);
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
    return count;
}

uint32_t plain_encode_pairs(lua_State *L, int index, struct pack *pack)
{
    return plain_pairs_at(L, index, pack, 0);
}

static void plain_encode_table(lua_State *L, int index, struct pack *pack, int depth)
{
    if (depth >= PLAIN_DEPTH)
        luaL_error(L, "plain data nested more than %d deep", (int)PLAIN_DEPTH);
    lua_Integer length = (lua_Integer)lua_rawlen(L, index);
    if (lua_rawgeti(L, index, 1) == LUA_TNIL)
        length = 0;
    lua_pop(L, 1);
    if (length == 0) {
        pack_map(pack, plain_pairs_at(L, index, NULL, depth));
        plain_pairs_at(L, index, pack, depth);
        return;
    }
    lua_Integer entries = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        entries++;
    if (entries != length)
        luaL_error(L, "plain data with a list that has holes, or keys besides");
    pack_array(pack, (uint32_t)length);
    for (lua_Integer i = 1; i <= length; i++) {
        lua_rawgeti(L, index, i);
        plain_encode_at(L, -1, pack, depth + 1);
        lua_pop(L, 1);
    }
}

static void plain_encode_at(lua_State *L, int index, struct pack *pack, int depth)
{
    index = lua_absindex(L, index);
    luaL_checkstack(L, 4, NULL);
    switch (lua_type(L, index)) {
    case LUA_TNIL:
        pack_nil(pack);
        break;
    case LUA_TBOOLEAN:
        pack_boolean(pack, lua_toboolean(L, index));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            pack_integer(pack, lua_tointeger(L, index));
        else
            pack_float(pack, lua_tonumber(L, index));
        break;
    case LUA_TSTRING: {
        size_t size;
        const char *text = lua_tolstring(L, index, &size);
        pack_string(pack, text, size);
        break;
    }
    case LUA_TTABLE:
        plain_encode_table(L, index, pack, depth);
        break;
    default:
        luaL_error(L, "plain data with a %s in it", luaL_typename(L, index));
    }
}

void plain_encode(lua_State *L, int index, struct pack *pack)
{
    plain_encode_at(L, index, pack, 0);
}

static void plain_decode_at(lua_State *L, struct unpack *unpack, int depth);

static void plain_decode_list(lua_State *L, struct unpack *unpack, uint32_t size, int depth)
{
    lua_newtable(L); /* grows as values really come */
    for (uint32_t i = 1; i <= size; i++) {
        plain_decode_at(L, unpack, depth + 1);
        lua_rawseti(L, -2, i);
    }
}

static void plain_decode_map(lua_State *L, struct unpack *unpack, uint32_t pairs, int depth)
{
    lua_newtable(L);
    for (uint32_t i = 0; i < pairs; i++) {
        struct unpack_token token;
        unpack_next(L, unpack, &token);
        if (token.type != UNPACK_STRING)
            unpack_fail(L, unpack, "a key that is not text");
        unpack_push_bytes(L, unpack, token.size);
        plain_decode_at(L, unpack, depth + 1);
        lua_rawset(L, -3);
    }
}

void plain_decode_pairs(lua_State *L, struct unpack *unpack, uint32_t pairs)
{
    plain_decode_map(L, unpack, pairs, 0);
}

static void plain_decode_at(lua_State *L, struct unpack *unpack, int depth)
{
    struct unpack_token token;
    luaL_checkstack(L, 4, NULL);
    if (depth >= PLAIN_DEPTH)
        unpack_fail(L, unpack, "nested too deeply");
    unpack_next(L, unpack, &token);
    switch (token.type) {
    case UNPACK_NIL:
        lua_pushnil(L);
        break;
    case UNPACK_BOOLEAN:
        lua_pushboolean(L, (int)token.value.integer);
        break;
    case UNPACK_INTEGER:
        lua_pushinteger(L, token.value.integer);
        break;
    case UNPACK_FLOAT:
        lua_pushnumber(L, token.value.number);
        break;
    case UNPACK_STRING:
    case UNPACK_BINARY:
        unpack_push_bytes(L, unpack, token.size);
        break;
    case UNPACK_ARRAY:
        plain_decode_list(L, unpack, token.size, depth);
        break;
    case UNPACK_MAP:
        plain_decode_map(L, unpack, token.size, depth);
        break;
    case UNPACK_EXTENSION:
        unpack_fail(L, unpack, "an extension where plain data was expected");
    }
}

void plain_decode(lua_State *L, struct unpack *unpack)
{
    plain_decode_at(L, unpack, 0);
}
