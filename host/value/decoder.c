#include "value/decoder.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>

#include "base/bytes.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"
#include "value/shape.h"

/* A coroutine in a wrapped function in the data of an object. */
enum { DECODER_DEPTH = 4 };

/* Bytes of the longest string that Lua takes for a short one. */
enum { DECODER_SHORT = 40 };

/* ---------------------------------------------------------------- references */

static uint64_t decoder_number(lua_State *L, struct decoder *decode,
                               const struct unpack_token *token)
{
    unsigned char data[8];
    if (token->size != 4 && token->size != 8)
        unpack_fail(L, decode->unpack, "a reference of a wrong size");
    unpack_copy(L, decode->unpack, data, token->size);
    return token->size == 4 ? bytes_get_u32(data) : bytes_get_u64(data);
}

void decoder_new_table(lua_State *L, struct decoder *decode, const struct unpack_token *token,
                       int is_scripts)
{
    const struct code_reader *code = decode->code;
    unsigned char data[16];
    if (token->size != 8 && token->size != sizeof data)
        unpack_fail(L, decode->unpack, "a table's sizes of a wrong size");
    unpack_copy(L, decode->unpack, data, token->size);
    uint32_t sequence = bytes_get_u32(data), others = bytes_get_u32(data + 4);
    /* Each place announced takes a byte or more further on, in one table only. */
    decode->claimed += (uint64_t)sequence + others;
    if (sequence > INT_MAX || others > INT_MAX || decode->claimed > decode->unpack->source.size)
        unpack_fail(L, decode->unpack, "tables are announced that are larger than the file");
    int has_place = token->size == sizeof data;
    if ((has_place || is_scripts) && code != NULL && code->table != NULL)
        code->table(L, code->context, sequence, others,
                    has_place ? bytes_get_u64(data + 8) : CODE_NO_PLACE);
    else
        lua_createtable(L, (int)sequence, (int)others);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decode->tables, ++decode->tables_known);
}

static enum decoder_pushed decoder_reference(lua_State *L, struct decoder *decode,
                                             const struct unpack_token *token)
{
    int from = decode->shared;
    lua_Integer known = decode->shared_known;
    switch (token->extension) {
    case SHAPE_TABLE:
        decoder_new_table(L, decode, token, 0);
        return DECODER_VALUE;
    case SHAPE_TABLE_REF:
        from = decode->tables;
        known = decode->tables_known;
        break;
    case SHAPE_SHARED_REF:
        break;
    default:
        unpack_fail(L, decode->unpack, "an unknown extension");
    }
    uint64_t number = decoder_number(L, decode, token);
    if (number >= (uint64_t)known)
        unpack_fail(L, decode->unpack, "a reference to an object that is not there");
    int type = lua_rawgeti(L, from, (lua_Integer)number + 1);
    if ((type == LUA_TFUNCTION || type == LUA_TUSERDATA) && late_describe(L, -1)) {
        lua_pop(L, 1);
        return DECODER_STANDIN;
    }
    if (type == LUA_TUSERDATA && late_describe_object(L, -1)) {
        lua_pop(L, 2);
        return DECODER_STANDIN;
    }
    return DECODER_VALUE;
}

/* ---------------------------------------------------------------- values written as arrays */

void decoder_push_text(lua_State *L, struct decoder *decode)
{
    struct unpack_token token;
    unpack_next(L, decode->unpack, &token);
    if (token.type != UNPACK_STRING && token.type != UNPACK_BINARY)
        unpack_fail(L, decode->unpack, "not the text that was expected");
    unpack_push_bytes(L, decode->unpack, token.size);
}

static void decoder_base_object(lua_State *L, struct decoder *decode)
{
    decoder_push_text(L, decode);
    names_push_object(L, lua_tostring(L, -1));
    if (lua_isnil(L, -1) && decode->look) {
        lua_pop(L, 1);
        late_push_seen(L, "base", lua_tostring(L, -1));
    } else if (lua_isnil(L, -1))
        luaL_error(L, "the snapshot refers to '%s', which this ckptlua does not have",
                   lua_tostring(L, -2));
    lua_remove(L, -2);
}

/* "MODULE:FIELD" is on top, or "MODULE": pushes that function. Returns 0 where it is none of a
 * module. */
static int decoder_native(lua_State *L, struct decoder *decode, const char *tag)
{
    const char *name = lua_tostring(L, -1), *colon = strrchr(name, ':');
    if (decode->code == NULL || decode->code->native == NULL)
        return 0;
    if (strcmp(tag, "module") == 0) {
        decode->code->native(L, decode->code->context, name, NULL);
        return 1;
    }
    if (strcmp(tag, "function") != 0 || colon == NULL)
        return 0;
    lua_pushlstring(L, name, (size_t)(colon - name));
    decode->code->native(L, decode->code->context, lua_tostring(L, -1), colon + 1);
    lua_remove(L, -2);
    return 1;
}

static enum decoder_pushed decoder_late(lua_State *L, struct decoder *decode, const char *tag)
{
    decoder_push_text(L, decode);
    if (decoder_native(L, decode, tag)) {
        lua_remove(L, -2);
        return DECODER_VALUE;
    }
    lua_pushfstring(L, "%s:%s", tag, lua_tostring(L, -1));
    lua_remove(L, -2);
    int present = late_push(L, lua_tostring(L, -1));
    lua_remove(L, -2);
    return present ? DECODER_VALUE : DECODER_STANDIN;
}

static uint64_t decoder_place_of(lua_State *L, struct decoder *decode,
                                 const struct unpack_token *token)
{
    if (token->type == UNPACK_NIL)
        return CODE_NO_PLACE;
    if (token->type != UNPACK_INTEGER)
        unpack_fail(L, decode->unpack, "a place that is none");
    return (uint64_t)token->value.integer;
}

/* The place of an object, at the end of its array, or the lack of one. */
static uint64_t decoder_place(lua_State *L, struct decoder *decode, int has_place)
{
    struct unpack_token token;
    if (!has_place)
        return CODE_NO_PLACE;
    unpack_next(L, decode->unpack, &token);
    return decoder_place_of(L, decode, &token);
}

/* One block of the userdata at index, the token of its array having been read; without a type it is
 * passed over. */
static void decoder_block(lua_State *L, struct decoder *decode, const struct unpack_token *array,
                          const struct userdata_type *type, int index, int number)
{
    struct unpack_token width, size, chunk;
    if (array->type != UNPACK_ARRAY || array->size < 2)
        unpack_fail(L, decode->unpack, "not a block of a userdata");
    unpack_next(L, decode->unpack, &width);
    unpack_next(L, decode->unpack, &size);
    if (width.type != UNPACK_INTEGER || size.type != UNPACK_INTEGER || size.value.integer < 0 ||
        (uint64_t)size.value.integer > decode->unpack->left)
        unpack_fail(L, decode->unpack, "not a block of a userdata");
    struct userdata_block block = {NULL, (size_t)size.value.integer, (int)width.value.integer};
    if (type != NULL && type->load_block != NULL)
        type->load_block(L, index, number, &block);
    else if (type != NULL)
        unpack_fail(L, decode->unpack, "a block of a userdata whose type has none");
    size_t at = 0;
    for (uint32_t i = 2; i < array->size; i++) {
        unpack_next(L, decode->unpack, &chunk);
        if (chunk.type != UNPACK_BINARY || chunk.size > block.size - at)
            unpack_fail(L, decode->unpack, "not a piece of a block");
        unpack_bytes(L, decode->unpack, type == NULL ? NULL : (char *)block.data + at, chunk.size);
        at += chunk.size;
    }
    if (at != block.size)
        unpack_fail(L, decode->unpack, "a block that is shorter than it says");
    if (!BYTES_ARE_LITTLE_ENDIAN && type != NULL)
        bytes_swap(block.data, block.size, block.width);
}

/* Type and bytes are on top: pushes the userdata. */
static void decoder_make_userdata(lua_State *L, struct decoder *decode,
                                  const struct userdata_type *type, uint64_t place, int has_place)
{
    const struct code_reader *code = decode->code;
    size_t size;
    const char *data = lua_tolstring(L, -1, &size);
    if (type == NULL && !decode->look)
        luaL_error(L, "the snapshot has a userdata of type '%s', which this program does not know",
                   lua_tostring(L, -2));
    if (type == NULL)
        late_push_foreign(L, lua_tostring(L, -2));
    else if (has_place && code != NULL && code->load != NULL)
        code->load(L, code->context, type, data, size, place);
    else
        type->load(L, data, size);
}

/* ["userdata", type, bytes], or "finalized", its place if it has one, and its blocks */
static void decoder_userdata(lua_State *L, struct decoder *decode, uint32_t parts, int is_finalized)
{
    const struct code_reader *code = decode->code;
    struct unpack_token token;
    int top = lua_gettop(L), has_place = 0;
    if (parts < 3)
        unpack_fail(L, decode->unpack, "an array that describes no userdata");
    uint32_t left = parts - 3;
    uint64_t place = CODE_NO_PLACE;
    decoder_push_text(L, decode);
    const struct userdata_type *type = registry_type(L, lua_tostring(L, -1));
    unpack_next(L, decode->unpack, &token);
    if (token.type == UNPACK_ARRAY) {
        decoder_push_text(L, decode);
        if (strcmp(lua_tostring(L, -1), "string") != 0)
            unpack_fail(L, decode->unpack, "not the bytes of a userdata");
        lua_pop(L, 1);
    }
    unpack_push_string(L, decode->unpack, &token);
    if (left > 0)
        unpack_next(L, decode->unpack, &token);
    if (left > 0 && token.type != UNPACK_ARRAY) {
        has_place = 1;
        place = decoder_place_of(L, decode, &token);
        if (--left > 0)
            unpack_next(L, decode->unpack, &token);
    }
    decoder_make_userdata(L, decode, type, place, has_place);
    for (int number = 0; left > 0; number++) {
        decoder_block(L, decode, &token, type, top + 3, number);
        if (--left > 0)
            unpack_next(L, decode->unpack, &token);
    }
    if (type != NULL && type->loaded != NULL)
        type->loaded(L, top + 3);
    if (type != NULL && is_finalized && code != NULL && code->finalized != NULL)
        code->finalized(L, code->context);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

static void decoder_object(lua_State *L, struct decoder *decode)
{
    decoder_push_text(L, decode);
    if (decoder_value(L, decode) == DECODER_STANDIN)
        unpack_fail(L, decode->unpack, "an object made of a value that is not there yet");
    late_push_object(L, lua_tostring(L, -2));
    lua_remove(L, -2);
}

/* list[known + 1], list[known + 2] = the object, its description; both on top. Pops the latter. */
static void decoder_remember(lua_State *L, int list, lua_Integer *known)
{
    lua_pushvalue(L, -2);
    lua_rawseti(L, list, *known + 1);
    lua_rawseti(L, list, *known + 2);
    *known += 2;
}

/* ["chunk", name, text]; to be looked at it is its name. */
static void decoder_chunk(lua_State *L, struct decoder *decode)
{
    struct unpack_token token;
    decoder_push_text(L, decode);
    unpack_next(L, decode->unpack, &token);
    if (token.type == UNPACK_NIL)
        lua_pushnil(L);
    else if (token.type == UNPACK_STRING || token.type == UNPACK_BINARY)
        unpack_push_bytes(L, decode->unpack, token.size);
    else
        unpack_fail(L, decode->unpack, "a chunk without a text");
    if (decode->code != NULL)
        decode->code->chunk(L, decode->code->context);
    else
        lua_pop(L, 1);
}

/* Pushes a function of the chunk, which is a name here, to be looked at. */
static void decoder_seen_function(lua_State *L, int chunk)
{
    const char *name = lua_type(L, chunk) == LUA_TSTRING ? lua_tostring(L, chunk) : "?";
    if (strcmp(name, "script") == 0)
        lua_pushliteral(L, "of the script");
    else if (*name == '@' || *name == '=')
        lua_pushfstring(L, "of %s", name + 1);
    else
        lua_pushliteral(L, "of a text");
    late_push_seen(L, "Lua function", lua_tostring(L, -1));
    lua_remove(L, -2);
}

/* ["closure", chunk, number, upvalues], and its place */
static void decoder_closure(lua_State *L, struct decoder *decode, int has_place)
{
    const struct code_reader *code = decode->code;
    struct unpack_token token;
    int chunk = lua_gettop(L) + 1;
    if (code == NULL && !decode->look)
        luaL_error(
            L, "the snapshot has functions, which cannot be continued here: see docs/limits.md");
    decoder_value(L, decode);
    unpack_next(L, decode->unpack, &token);
    if (token.type != UNPACK_INTEGER || token.value.integer < 0 || token.value.integer > UINT32_MAX)
        unpack_fail(L, decode->unpack, "a function without a number");
    uint32_t number = (uint32_t)token.value.integer;
    decoder_value(L, decode);
    uint64_t place = decoder_place(L, decode, has_place);
    if (code != NULL)
        code->function(L, code->context, chunk, number, place);
    else
        decoder_seen_function(L, chunk);
    lua_insert(L, -2);
    decoder_remember(L, decode->functions, &decode->functions_known);
    lua_remove(L, chunk);
}

/* ["thread", description], and its place */
static void decoder_thread(lua_State *L, struct decoder *decode, int has_place)
{
    decoder_value(L, decode);
    uint64_t place = decoder_place(L, decode, has_place);
    if (decode->code != NULL)
        decode->code->thread(L, decode->code->context, place);
    else
        late_push_seen(L, "coroutine", "");
    lua_insert(L, -2);
    decoder_remember(L, decode->threads, &decode->threads_known);
}

/* ["made", kind, value, ...] */
static void decoder_made(lua_State *L, struct decoder *decode, const struct unpack_token *array)
{
    int top = lua_gettop(L), count = (int)array->size - 2;
    if (array->size > 300)
        unpack_fail(L, decode->unpack, "a function made of too much");
    luaL_checkstack(L, count + 20, NULL);
    decoder_push_text(L, decode);
    for (int i = 0; i < count; i++)
        decoder_value(L, decode);
    if (decode->code != NULL) {
        decode->code->made(L, decode->code->context, lua_tostring(L, top + 1), count);
        lua_remove(L, top + 1);
    } else {
        late_push_seen(L, "iterator", lua_tostring(L, top + 1));
        lua_replace(L, top + 1);
        lua_settop(L, top + 1);
    }
}

/* An array: its tag says what it is. It takes the next number of shared objects. */
static enum decoder_pushed decoder_tagged(lua_State *L, struct decoder *decode,
                                          const struct unpack_token *array)
{
    static const struct {
        const char *name;
        uint32_t size;
        int may_have_place; /* one more */
    } tags[] = {{"name", 2, 0},      {"function", 2, 0}, {"module", 2, 0}, {"class", 2, 0},
                {"transient", 2, 0}, {"userdata", 0, 0}, {"object", 3, 0}, {"closure", 4, 1},
                {"chunk", 3, 0},     {"thread", 2, 1},   {"made", 0, 0},   {"finalized", 0, 0}};
    enum decoder_pushed pushed = DECODER_VALUE;
    luaL_checkstack(L, 20, NULL);
    if (++decode->depth > DECODER_DEPTH) /* no recursion on a file's word */
        unpack_fail(L, decode->unpack, "values inside of each other");
    decoder_push_text(L, decode);
    const char *tag = lua_tostring(L, -1);
    if (strcmp(tag, "string") == 0) {
        unpack_push_string(L, decode->unpack, array);
    } else {
        size_t at = 0, count = sizeof tags / sizeof *tags;
        while (at < count && strcmp(tag, tags[at].name) != 0)
            at++;
        int has_place = at < count && tags[at].may_have_place && array->size == tags[at].size + 1;
        if (at == count || (tags[at].size != 0 && array->size != tags[at].size && !has_place))
            unpack_fail(L, decode->unpack, "an array that describes no known value");
        switch (at) {
        case 0:
            decoder_base_object(L, decode);
            break;
        case 5:
            decoder_userdata(L, decode, array->size, 0);
            break;
        case 6:
            decoder_object(L, decode);
            pushed = DECODER_STANDIN;
            break;
        case 7:
            decoder_closure(L, decode, has_place);
            break;
        case 8:
            decoder_chunk(L, decode);
            break;
        case 9:
            decoder_thread(L, decode, has_place);
            break;
        case 10:
            decoder_made(L, decode, array);
            break;
        case 11:
            decoder_userdata(L, decode, array->size, 1);
            break;
        default:
            pushed = decoder_late(L, decode, tag);
        }
    }
    decode->depth--;
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decode->shared, ++decode->shared_known);
    return pushed;
}

/* Long strings count as the script's memory (zone/zone.h). */
static void decoder_push_string(lua_State *L, struct decoder *decode, uint32_t size)
{
    const struct code_reader *code = decode->code;
    int is_long = size > DECODER_SHORT && decode->has_places && code != NULL && code->own != NULL;
    if (is_long)
        code->own(L, code->context, 0);
    unpack_push_bytes(L, decode->unpack, size);
    if (is_long)
        code->own(L, code->context, 1);
}

enum decoder_pushed decoder_value(lua_State *L, struct decoder *decode)
{
    struct unpack_token token;
    unpack_next(L, decode->unpack, &token);
    switch (token.type) {
    case UNPACK_FLOAT:
        lua_pushnumber(L, token.value.number);
        break;
    case UNPACK_INTEGER:
        lua_pushinteger(L, token.value.integer);
        break;
    case UNPACK_STRING:
    case UNPACK_BINARY:
        decoder_push_string(L, decode, token.size);
        if (token.size >= SHAPE_SHARED_STRING) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, decode->shared, ++decode->shared_known);
        }
        break;
    case UNPACK_EXTENSION:
        return decoder_reference(L, decode, &token);
    case UNPACK_BOOLEAN:
        lua_pushboolean(L, (int)token.value.integer);
        break;
    case UNPACK_NIL:
        lua_pushnil(L);
        break;
    case UNPACK_ARRAY:
        if (token.size < 2)
            unpack_fail(L, decode->unpack, "an array that describes no known value");
        return decoder_tagged(L, decode, &token);
    case UNPACK_MAP:
        unpack_fail(L, decode->unpack, "a map where a value was expected");
    }
    return DECODER_VALUE;
}

void decoder_pair(lua_State *L, struct decoder *decode, int table)
{
    int key = lua_gettop(L) + 1;
    enum decoder_pushed key_is = decoder_value(L, decode);
    if (lua_isnil(L, key) ||
        (lua_type(L, key) == LUA_TNUMBER && lua_tonumber(L, key) != lua_tonumber(L, key)))
        unpack_fail(L, decode->unpack, "a key that is nil or NaN");
    enum decoder_pushed value_is = decoder_value(L, decode);
    if (value_is == DECODER_STANDIN)
        late_place(L, table, key);
    if (key_is == DECODER_STANDIN) {
        decode->standins++;
        lua_pushvalue(L, key);
        late_place(L, table, key);
        lua_pop(L, 1);
    }
}
