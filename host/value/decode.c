#include "value/decode.h"

#include <limits.h>
#include <string.h>

#include <lauxlib.h>

#include "base/bytes.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"
#include "value/shape.h"

struct decode {
    struct unpack *unpack;
    int tables, shared, metatables; /* stack indices: number -> object; {table, metatable, ...} */
    lua_Integer tables_known, shared_known, metatables_known;
    uint64_t claimed; /* values that the sizes of new tables have announced */
    int look;         /* values that this program cannot make are stand-ins for ever */
    int idle;         /* no finalizer may run */
    int depth;        /* of values inside of a value that is written as an array */
    const struct code_reader *code; /* NULL: functions can only be looked at */
    int functions, threads;         /* stack indices: lists of pairs */
    lua_Integer functions_known, threads_known;
    int finalizers; /* stack index: the tables that are marked for finalizers; 0: not known */
};

/* A coroutine in a wrapped function in the data of an object. */
enum { DECODE_DEPTH = 4 };

/* What decode_value has pushed. */
enum decode_pushed { DECODE_VALUE, DECODE_STANDIN };

static enum decode_pushed decode_value(lua_State *L, struct decode *decode);

/* ---------------------------------------------------------------- references */

static uint64_t decode_number(lua_State *L, struct decode *decode, const struct unpack_token *token)
{
    unsigned char data[8];
    if (token->size != 4 && token->size != 8)
        unpack_fail(L, decode->unpack, "a reference of a wrong size");
    unpack_copy(L, decode->unpack, data, token->size);
    return token->size == 4 ? bytes_get_u32(data) : bytes_get_u64(data);
}

static void decode_new_table(lua_State *L, struct decode *decode, const struct unpack_token *token)
{
    unsigned char data[8];
    if (token->size != sizeof data)
        unpack_fail(L, decode->unpack, "a table's sizes of a wrong size");
    unpack_copy(L, decode->unpack, data, sizeof data);
    uint32_t sequence = bytes_get_u32(data), others = bytes_get_u32(data + 4);
    /* Each value announced takes a byte or more further on, in one table only. */
    decode->claimed += (uint64_t)sequence + 2 * (uint64_t)others;
    if (sequence > INT_MAX || others > INT_MAX || decode->claimed > decode->unpack->source.size)
        unpack_fail(L, decode->unpack, "tables are announced that are larger than the file");
    lua_createtable(L, (int)sequence, (int)others);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decode->tables, ++decode->tables_known);
}

static enum decode_pushed decode_reference(lua_State *L, struct decode *decode,
                                           const struct unpack_token *token)
{
    int from = decode->shared;
    lua_Integer known = decode->shared_known;
    switch (token->extension) {
    case SHAPE_TABLE:
        decode_new_table(L, decode, token);
        return DECODE_VALUE;
    case SHAPE_TABLE_REF:
        from = decode->tables;
        known = decode->tables_known;
        break;
    case SHAPE_SHARED_REF:
        break;
    default:
        unpack_fail(L, decode->unpack, "an unknown extension");
    }
    uint64_t number = decode_number(L, decode, token);
    if (number >= (uint64_t)known)
        unpack_fail(L, decode->unpack, "a reference to an object that is not there");
    int type = lua_rawgeti(L, from, (lua_Integer)number + 1);
    if ((type == LUA_TFUNCTION || type == LUA_TUSERDATA) && late_describe(L, -1)) {
        lua_pop(L, 1);
        return DECODE_STANDIN;
    }
    if (type == LUA_TUSERDATA && late_describe_object(L, -1)) {
        lua_pop(L, 2);
        return DECODE_STANDIN;
    }
    return DECODE_VALUE;
}

/* ---------------------------------------------------------------- values written as arrays */

static void decode_push_text(lua_State *L, struct decode *decode)
{
    struct unpack_token token;
    unpack_next(L, decode->unpack, &token);
    if (token.type != UNPACK_STRING && token.type != UNPACK_BINARY)
        unpack_fail(L, decode->unpack, "not the text that was expected");
    unpack_push_bytes(L, decode->unpack, token.size);
}

static void decode_base_object(lua_State *L, struct decode *decode)
{
    decode_push_text(L, decode);
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
static int decode_native(lua_State *L, struct decode *decode, const char *tag)
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

static enum decode_pushed decode_late(lua_State *L, struct decode *decode, const char *tag)
{
    decode_push_text(L, decode);
    if (decode_native(L, decode, tag)) {
        lua_remove(L, -2);
        return DECODE_VALUE;
    }
    lua_pushfstring(L, "%s:%s", tag, lua_tostring(L, -1));
    lua_remove(L, -2);
    int present = late_push(L, lua_tostring(L, -1));
    lua_remove(L, -2);
    return present ? DECODE_VALUE : DECODE_STANDIN;
}

static void decode_userdata(lua_State *L, struct decode *decode)
{
    struct unpack_token token;
    int top = lua_gettop(L);
    decode_push_text(L, decode);
    const struct userdata_type *type = registry_type(L, lua_tostring(L, -1));
    unpack_next(L, decode->unpack, &token);
    if (token.type == UNPACK_ARRAY) {
        decode_push_text(L, decode);
        if (strcmp(lua_tostring(L, -1), "string") != 0)
            unpack_fail(L, decode->unpack, "not the bytes of a userdata");
        lua_pop(L, 1);
    }
    unpack_push_string(L, decode->unpack, &token);
    if (type == NULL && !decode->look)
        luaL_error(L, "the snapshot has a userdata of type '%s', which this program does not know",
                   lua_tostring(L, -2));
    if (type == NULL) {
        late_push_foreign(L, lua_tostring(L, -2));
    } else {
        size_t size;
        const char *data = lua_tolstring(L, -1, &size);
        type->load(L, data, size);
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

static void decode_object(lua_State *L, struct decode *decode)
{
    decode_push_text(L, decode);
    if (decode_value(L, decode) == DECODE_STANDIN)
        unpack_fail(L, decode->unpack, "an object made of a value that is not there yet");
    late_push_object(L, lua_tostring(L, -2));
    lua_remove(L, -2);
}

/* list[known + 1], list[known + 2] = the object, its description; both on top. Pops the latter. */
static void decode_remember(lua_State *L, int list, lua_Integer *known)
{
    lua_pushvalue(L, -2);
    lua_rawseti(L, list, *known + 1);
    lua_rawseti(L, list, *known + 2);
    *known += 2;
}

/* ["chunk", name, text]; to be looked at it is its name. */
static void decode_chunk(lua_State *L, struct decode *decode)
{
    struct unpack_token token;
    decode_push_text(L, decode);
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
static void decode_seen_function(lua_State *L, int chunk)
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

/* ["closure", chunk, number, upvalues] */
static void decode_closure(lua_State *L, struct decode *decode)
{
    struct unpack_token token;
    int chunk = lua_gettop(L) + 1;
    if (decode->code == NULL && !decode->look)
        luaL_error(
            L, "the snapshot has functions, which cannot be continued here: see docs/limits.md");
    decode_value(L, decode);
    unpack_next(L, decode->unpack, &token);
    if (token.type != UNPACK_INTEGER || token.value.integer < 0 || token.value.integer > UINT32_MAX)
        unpack_fail(L, decode->unpack, "a function without a number");
    if (decode->code != NULL)
        decode->code->function(L, decode->code->context, chunk, (uint32_t)token.value.integer);
    else
        decode_seen_function(L, chunk);
    decode_value(L, decode);
    decode_remember(L, decode->functions, &decode->functions_known);
    lua_remove(L, chunk);
}

/* ["thread", description] */
static void decode_thread(lua_State *L, struct decode *decode)
{
    if (decode->code != NULL)
        decode->code->thread(L, decode->code->context);
    else
        late_push_seen(L, "coroutine", "");
    decode_value(L, decode);
    decode_remember(L, decode->threads, &decode->threads_known);
}

/* ["made", kind, value, ...] */
static void decode_made(lua_State *L, struct decode *decode, const struct unpack_token *array)
{
    int top = lua_gettop(L), count = (int)array->size - 2;
    if (array->size > 300)
        unpack_fail(L, decode->unpack, "a function made of too much");
    luaL_checkstack(L, count + 20, NULL);
    decode_push_text(L, decode);
    for (int i = 0; i < count; i++)
        decode_value(L, decode);
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
static enum decode_pushed decode_tagged(lua_State *L, struct decode *decode,
                                        const struct unpack_token *array)
{
    static const struct {
        const char *name;
        uint32_t size;
    } tags[] = {{"name", 2},      {"function", 2}, {"module", 2}, {"class", 2},
                {"transient", 2}, {"userdata", 3}, {"object", 3}, {"closure", 4},
                {"chunk", 3},     {"thread", 2},   {"made", 0}};
    enum decode_pushed pushed = DECODE_VALUE;
    luaL_checkstack(L, 20, NULL);
    if (++decode->depth > DECODE_DEPTH) /* no recursion on a file's word */
        unpack_fail(L, decode->unpack, "values inside of each other");
    decode_push_text(L, decode);
    const char *tag = lua_tostring(L, -1);
    if (strcmp(tag, "string") == 0) {
        unpack_push_string(L, decode->unpack, array);
    } else {
        size_t at = 0, count = sizeof tags / sizeof *tags;
        while (at < count && strcmp(tag, tags[at].name) != 0)
            at++;
        if (at == count || (tags[at].size != 0 && array->size != tags[at].size))
            unpack_fail(L, decode->unpack, "an array that describes no known value");
        switch (at) {
        case 0:
            decode_base_object(L, decode);
            break;
        case 5:
            decode_userdata(L, decode);
            break;
        case 6:
            decode_object(L, decode);
            pushed = DECODE_STANDIN;
            break;
        case 7:
            decode_closure(L, decode);
            break;
        case 8:
            decode_chunk(L, decode);
            break;
        case 9:
            decode_thread(L, decode);
            break;
        case 10:
            decode_made(L, decode, array);
            break;
        default:
            pushed = decode_late(L, decode, tag);
        }
    }
    decode->depth--;
    lua_remove(L, -2);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decode->shared, ++decode->shared_known);
    return pushed;
}

static enum decode_pushed decode_value(lua_State *L, struct decode *decode)
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
        unpack_push_bytes(L, decode->unpack, token.size);
        if (token.size >= SHAPE_SHARED_STRING) {
            lua_pushvalue(L, -1);
            lua_rawseti(L, decode->shared, ++decode->shared_known);
        }
        break;
    case UNPACK_EXTENSION:
        return decode_reference(L, decode, &token);
    case UNPACK_BOOLEAN:
        lua_pushboolean(L, (int)token.value.integer);
        break;
    case UNPACK_NIL:
        lua_pushnil(L);
        break;
    case UNPACK_ARRAY:
        if (token.size < 2)
            unpack_fail(L, decode->unpack, "an array that describes no known value");
        return decode_tagged(L, decode, &token);
    case UNPACK_MAP:
        unpack_fail(L, decode->unpack, "a map where a value was expected");
    }
    return DECODE_VALUE;
}

/* ---------------------------------------------------------------- records and roots */

/* Reads `pairs` keys and values into the table at index. If `keys` is not 0, that is a list to
 * which the keys are appended. */
static void decode_pairs(lua_State *L, struct decode *decode, int table, uint32_t pairs, int keys)
{
    int key = lua_gettop(L) + 1;
    lua_Integer listed = keys == 0 ? 0 : (lua_Integer)lua_rawlen(L, keys);
    for (uint32_t i = 0; i < pairs; i++) {
        enum decode_pushed key_is = decode_value(L, decode);
        if (lua_isnil(L, key) ||
            (lua_type(L, key) == LUA_TNUMBER && lua_tonumber(L, key) != lua_tonumber(L, key)))
            unpack_fail(L, decode->unpack, "a key that is nil or NaN");
        if (keys != 0) {
            lua_pushvalue(L, key);
            lua_rawseti(L, keys, ++listed);
        }
        enum decode_pushed value_is = decode_value(L, decode);
        if (value_is == DECODE_STANDIN)
            late_place(L, table, key);
        if (key_is == DECODE_STANDIN) {
            lua_pushvalue(L, key);
            late_place(L, table, key);
            lua_pop(L, 1);
        }
        lua_rawset(L, table);
    }
}

/* Reads the record of the table on top. */
static void decode_record(lua_State *L, struct decode *decode)
{
    int table = lua_gettop(L);
    uint32_t parts = unpack_array(L, decode->unpack, UINT32_MAX);
    if (parts != 2 && parts != 3)
        unpack_fail(L, decode->unpack, "a record that is no table's");
    uint32_t sequence = unpack_array(L, decode->unpack, UINT32_MAX), listed = 0;
    int keys = table + 1, keeps_order = decode->code != NULL && decode->code->order != NULL;
    if (keeps_order)
        lua_newtable(L);
    else
        lua_pushnil(L);
    for (uint32_t i = 1; i <= sequence; i++) {
        if (decode_value(L, decode) == DECODE_STANDIN) {
            lua_pushinteger(L, i);
            lua_insert(L, -2);
            late_place(L, table, -2);
            lua_remove(L, -2);
        }
        lua_rawseti(L, table, i);
    }
    uint32_t others = unpack_map(L, decode->unpack);
    int ordered = keeps_order && others > 0;
    for (uint32_t i = 1; ordered && i <= sequence; i++)
        if (lua_rawgeti(L, table, i) == LUA_TNIL) {
            lua_pop(L, 1);
        } else {
            lua_pop(L, 1);
            lua_pushinteger(L, i);
            lua_rawseti(L, keys, ++listed);
        }
    decode_pairs(L, decode, table, others, ordered ? keys : 0);
    if (ordered)
        decode->code->order(L, decode->code->context, table, keys);
    lua_settop(L, table);
    if (parts == 3) {
        lua_pushvalue(L, table);
        lua_rawseti(L, decode->metatables, ++decode->metatables_known);
        decode_value(L, decode);
        lua_rawseti(L, decode->metatables, ++decode->metatables_known);
    }
}

/* Sets the metatable on top, while it has no __gc: then Lua calls none later. */
static void decode_set_idle_metatable(lua_State *L)
{
    lua_getfield(L, -1, "__gc");
    lua_pushliteral(L, "__gc");
    lua_pushnil(L);
    lua_rawset(L, -4);
    lua_pushvalue(L, -2);
    lua_setmetatable(L, -4);
    lua_pushliteral(L, "__gc");
    lua_insert(L, -2);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

/* Lua marks a table when it gets a metatable with __gc, and for good. */
void decode_mark_finalizers(lua_State *L, int list)
{
    int top = lua_gettop(L);
    list = lua_absindex(L, list);
    luaL_checkstack(L, 8, NULL);
    lua_createtable(L, 0, 1);
    lua_pushboolean(L, 1);
    lua_setfield(L, -2, "__gc");
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i <= count; i++, lua_settop(L, top + 1)) {
        if (lua_rawgeti(L, list, i) != LUA_TTABLE)
            continue;
        if (!lua_getmetatable(L, -1))
            lua_pushnil(L);
        lua_pushvalue(L, top + 1);
        lua_setmetatable(L, top + 2);
        lua_setmetatable(L, top + 2);
    }
    lua_settop(L, top);
}

/* Metatables are set when all of them are filled: __gc counts only if it is there by then. */
static void decode_set_metatables(lua_State *L, struct decode *decode)
{
    int idle = decode->idle || decode->finalizers != 0; /* those are marked later */
    for (lua_Integer i = 1; i < decode->metatables_known; i += 2) {
        lua_rawgeti(L, decode->metatables, i);
        lua_rawgeti(L, decode->metatables, i + 1);
        if (late_describe(L, -1)) {
            if (!late_push_metatable(L, lua_tostring(L, -1)))
                late_place_metatable(L, lua_gettop(L) - 3);
            lua_replace(L, -3);
            lua_pop(L, 1);
        }
        if (lua_type(L, -1) != LUA_TTABLE)
            unpack_fail(L, decode->unpack, "a metatable that is no table");
        lua_pushliteral(L, "__gc");
        int has_finalizer = lua_rawget(L, -2) != LUA_TNIL;
        lua_pop(L, 1);
        if (has_finalizer && decode->look) /* nothing of a file that is looked at may run */
            lua_pop(L, 1);
        else if (has_finalizer && idle)
            decode_set_idle_metatable(L);
        else
            lua_setmetatable(L, -2);
        lua_pop(L, 1);
    }
}

/* The list of changed libraries: [[name, {key: value}], ...]. With apply 0 they are read into
 * tables that nobody sees. */
static void decode_libraries(lua_State *L, struct decode *decode, int apply)
{
    uint32_t count = unpack_array(L, decode->unpack, UINT32_MAX);
    for (uint32_t i = 0; i < count; i++) {
        unpack_array(L, decode->unpack, 2);
        decode_push_text(L, decode);
        if (apply)
            names_push_object(L, lua_tostring(L, -1));
        else
            lua_newtable(L);
        if (lua_type(L, -1) != LUA_TTABLE)
            luaL_error(L,
                       "the snapshot has values of library '%s', which this ckptlua does not "
                       "have",
                       lua_tostring(L, -2));
        decode_pairs(L, decode, lua_gettop(L), unpack_map(L, decode->unpack), 0);
        lua_pop(L, 2);
    }
}

/* Takes all entries out of the table at index. */
static void decode_clear(lua_State *L, int table)
{
    for (lua_pushnil(L); lua_next(L, table) != 0;) {
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_pushnil(L);
        lua_rawset(L, table);
    }
}

/* Takes those entries out that the base environment has under the same name. */
static void decode_clear_base(lua_State *L, int table)
{
    names_push_all(L);
    names_push_copy(L, "_G");
    lua_insert(L, table + 1);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        int is_base = (late_describe(L, -1) && strncmp(lua_tostring(L, -1), "base:", 5) == 0) ||
                      (lua_settop(L, table + 4), !names_is_changed(L, table + 1));
        lua_settop(L, table + 4);
        lua_pushvalue(L, -1);
        if (lua_type(L, -3) != LUA_TSTRING ||
            (!is_base && (lua_rawget(L, table + 2) == LUA_TNIL || !lua_rawequal(L, -1, -3)))) {
            lua_pop(L, 1);
            continue;
        }
        lua_pushvalue(L, -3);
        lua_pushnil(L);
        lua_rawset(L, table);
        lua_pop(L, 1);
    }
    lua_settop(L, table);
}

/* [[name, {all keys: values}] or with a metatable as a third, ...]. What is to be looked at are the
 * globals only, which are read into the table at `target`. */
static void decode_whole_tables(lua_State *L, struct decode *decode, int target)
{
    uint32_t count = unpack_array(L, decode->unpack, UINT32_MAX);
    int top = lua_gettop(L), table = top + 2;
    for (uint32_t i = 0; i < count; i++, lua_settop(L, top)) {
        uint32_t parts = unpack_array(L, decode->unpack, UINT32_MAX);
        decode_push_text(L, decode);
        if (!decode->look)
            names_push_object(L, lua_tostring(L, -1));
        else if (strcmp(lua_tostring(L, -1), "_G") == 0)
            lua_pushvalue(L, target);
        else
            lua_newtable(L);
        if (lua_type(L, table) != LUA_TTABLE || (parts != 2 && parts != 3))
            unpack_fail(L, decode->unpack, "a table of the base environment that is none");
        decode_clear(L, table);
        lua_pushnil(L);
        lua_setmetatable(L, table);
        lua_newtable(L);
        decode_pairs(L, decode, table, unpack_map(L, decode->unpack), table + 1);
        if (decode->code != NULL && decode->code->order != NULL)
            decode->code->order(L, decode->code->context, table, table + 1);
        lua_settop(L, table);
        if (decode->look)
            decode_clear_base(L, table);
        if (parts == 3) {
            lua_pushvalue(L, table);
            lua_rawseti(L, decode->metatables, ++decode->metatables_known);
            decode_value(L, decode);
            lua_rawseti(L, decode->metatables, ++decode->metatables_known);
        }
    }
}

/* What the parts of a body are read into; they follow each other on the stack. */
static void decode_start(lua_State *L, struct decode *decode)
{
    luaL_checkstack(L, 32, NULL);
    int *const lists[] = {&decode->tables, &decode->shared, &decode->metatables, &decode->functions,
                          &decode->threads};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        lua_newtable(L);
        *lists[i] = lua_gettop(L);
    }
}

/* The records of the tables from number `first` on. Returns the number of the next. */
static lua_Integer decode_records_from(lua_State *L, struct decode *decode, lua_Integer first)
{
    for (; first <= decode->tables_known; first++) {
        lua_rawgeti(L, decode->tables, first);
        decode_record(L, decode);
        lua_pop(L, 1);
    }
    return first;
}

/* One more record: of the list of the tables that are marked for finalizers, which nothing refers
 * to. */
static void decode_finalizers(lua_State *L, struct decode *decode)
{
    lua_newtable(L);
    decode->finalizers = lua_gettop(L);
    lua_pushvalue(L, -1);
    lua_rawseti(L, decode->tables, ++decode->tables_known);
}

static void decode_records(lua_State *L, struct decode *decode, int exact)
{
    lua_Integer next = decode_records_from(L, decode, 1);
    if (exact && decode->unpack->left != 0) { /* older snapshots do not tell */
        decode_finalizers(L, decode);
        decode_records_from(L, decode, next);
    }
    if (decode->unpack->left != 0)
        unpack_fail(L, decode->unpack, "more than the last table's record");
    decode_set_metatables(L, decode);
}

static void decode_body(lua_State *L, struct unpack *unpack, int target, int apply,
                        const struct code_reader *code)
{
    int top = lua_gettop(L);
    struct decode decode = {.unpack = unpack, .look = !apply, .code = code};
    target = lua_absindex(L, target);
    luaL_checkstack(L, 32, NULL);
    lua_newtable(L);
    int again = lua_gettop(L);
    decode_start(L, &decode);
    decode_pairs(L, &decode, target, unpack_map(L, unpack), 0);
    decode_libraries(L, &decode, apply);
    uint32_t names = unpack_array(L, unpack, UINT32_MAX);
    for (uint32_t i = 1; i <= names; i++) {
        decode_push_text(L, &decode);
        lua_rawseti(L, again, i);
    }
    decode_records(L, &decode, 0);
    if (code != NULL)
        code->finish(L, code->context, decode.functions, decode.threads);
    lua_settop(L, top + 1);
}

void decode_globals(lua_State *L, struct unpack *unpack, int target, const struct code_reader *code)
{
    decode_body(L, unpack, target, 1, code);
}

static void decode_exact_body(lua_State *L, struct unpack *unpack, int roots, int globals,
                              const struct code_reader *code, int idle)
{
    int top = lua_gettop(L);
    struct decode decode = {.unpack = unpack, .look = code == NULL, .idle = idle, .code = code};
    decode_start(L, &decode);
    decode_pairs(L, &decode, roots, unpack_map(L, unpack), 0);
    decode_whole_tables(L, &decode, globals);
    unpack_array(L, unpack, 0);
    decode_records(L, &decode, 1);
    if (decode.finalizers != 0) {
        lua_pushvalue(L, decode.finalizers);
        lua_setfield(L, roots, "finalizers");
    }
    if (code != NULL)
        code->finish(L, code->context, decode.functions, decode.threads);
    lua_settop(L, top);
}

void decode_exact(lua_State *L, struct unpack *unpack, int target, const struct code_reader *code,
                  int idle)
{
    decode_exact_body(L, unpack, lua_absindex(L, target), 0, code, idle);
}

void decode_table(lua_State *L, struct unpack *unpack, int target, int exact)
{
    target = lua_absindex(L, target);
    if (exact) {
        lua_newtable(L);
        decode_exact_body(L, unpack, lua_gettop(L), target, NULL, 0);
    } else {
        decode_body(L, unpack, target, 0, NULL);
    }
    lua_pop(L, 1);
}
