#include "value/restore.h"

#include <limits.h>

#include <lauxlib.h>

#include "value/late.h"

void restore_pairs(lua_State *L, struct decoder *decode, int table, int owner, uint32_t pairs,
                   int keys)
{
    lua_Integer listed = keys == 0 ? 0 : (lua_Integer)lua_rawlen(L, keys);
    for (uint32_t i = 0; i < pairs; i++) {
        decoder_pair(L, decode, owner);
        if (keys != 0) {
            lua_pushvalue(L, -2);
            lua_rawseti(L, keys, ++listed);
        }
        lua_rawset(L, table);
    }
}

/* ---------------------------------------------------------------- layouts */

static struct layout_place *restore_room(lua_State *L, struct decoder *decode, uint32_t count)
{
    if (decode->places_room < count) {
        lua_newuserdatauv(L, count * sizeof(struct layout_place), 0);
        lua_replace(L, decode->places);
        decode->places_room = count;
    }
    return lua_touserdata(L, decode->places);
}

static int64_t restore_integer(lua_State *L, struct decoder *decode,
                               const struct unpack_token *token, int64_t low, int64_t high)
{
    if (token->type != UNPACK_INTEGER || token->value.integer < low || token->value.integer > high)
        unpack_fail(L, decode->unpack, "a layout with a number that cannot be");
    return token->value.integer;
}

static struct layout_place restore_place(lua_State *L, struct decoder *decode)
{
    struct layout_place place = {LAYOUT_ENTRY, 0};
    struct unpack_token token;
    unpack_next(L, decode->unpack, &token);
    if (token.type == UNPACK_NIL)
        return (struct layout_place){LAYOUT_FREE, 0};
    if (token.type == UNPACK_ARRAY && token.size == 1) {
        place.state = LAYOUT_REMOVED;
        unpack_next(L, decode->unpack, &token);
    }
    place.next = (int32_t)restore_integer(L, decode, &token, -INT_MAX, INT_MAX);
    return place;
}

enum restored { RESTORED_LAYOUT, RESTORED_ORDER, RESTORED_PIECE };

/* nil, or [by address, limit, last free, place, ...]; the places are in the block for them. Or
 * true: the entries have an order, but no layout; or false: what is no table of the script has
 * neither. */
static enum restored restore_layout(lua_State *L, struct decoder *decode, struct layout *result)
{
    struct layout layout = {.limit = LAYOUT_NO_LIMIT};
    struct unpack_token token;
    unpack_next(L, decode->unpack, &token);
    *result = layout;
    if (token.type == UNPACK_BOOLEAN)
        return token.value.integer == 0 ? RESTORED_PIECE : RESTORED_ORDER;
    if (token.type == UNPACK_NIL)
        return RESTORED_LAYOUT;
    if (token.type != UNPACK_ARRAY || token.size < 3 || token.size - 3 > INT_MAX ||
        token.size > decode->unpack->source.size)
        unpack_fail(L, decode->unpack, "a record without a layout");
    layout.hash = (uint32_t)(token.size - 3);
    unpack_next(L, decode->unpack, &token);
    if (token.type != UNPACK_BOOLEAN)
        unpack_fail(L, decode->unpack, "a layout that is none");
    layout.by_address = (int)token.value.integer;
    unpack_next(L, decode->unpack, &token);
    if (token.type != UNPACK_NIL)
        layout.limit = restore_integer(L, decode, &token, 0, UINT32_MAX);
    unpack_next(L, decode->unpack, &token);
    layout.last_free = (uint32_t)restore_integer(L, decode, &token, 0, UINT32_MAX);
    struct layout_place *places = restore_room(L, decode, layout.hash);
    for (uint32_t i = 0; i < layout.hash; i++) {
        places[i] = restore_place(L, decode);
        layout.entries += places[i].state == LAYOUT_ENTRY;
    }
    *result = layout;
    return RESTORED_LAYOUT;
}

/* Reads the values of an array part, or of a sequence. The place of a value that is not there yet
 * is one of the table `owner`, which this one is or will be. */
static uint32_t restore_sequence(lua_State *L, struct decoder *decode, int table, int owner)
{
    uint32_t count = unpack_array(L, decode->unpack, UINT32_MAX);
    for (uint32_t i = 1; i <= count; i++) {
        if (decoder_value(L, decode) == DECODER_STANDIN) {
            lua_pushinteger(L, i);
            lua_insert(L, -2);
            late_place(L, owner, -2);
            lua_remove(L, -2);
        }
        lua_rawseti(L, table, i);
    }
    return count;
}

/* Appends the keys that a sequence of that length has to the list at index. */
static void restore_list_sequence(lua_State *L, int table, uint32_t sequence, int keys)
{
    lua_Integer listed = 0;
    for (uint32_t i = 1; i <= sequence; i++) {
        int type = lua_rawgeti(L, table, i);
        lua_pop(L, 1);
        if (type != LUA_TNIL) {
            lua_pushinteger(L, i);
            lua_rawseti(L, keys, ++listed);
        }
    }
}

/* Whether the key on top of its value is an object that is not where it was. */
static int restore_is_moved(lua_State *L, const struct layout_reader *reader)
{
    switch (lua_type(L, -2)) {
    case LUA_TBOOLEAN:
    case LUA_TNUMBER:
    case LUA_TSTRING:
        return 0;
    default:
        return !reader->is_there(L, reader->context, lua_gettop(L) - 1);
    }
}

/* Reads a hash part into just those places. Where these depend on addresses which are others now,
 * returns 0: Lua has put the entries into other places; pushes the list of all keys. */
static int restore_laid(lua_State *L, struct decoder *decode, const struct layout_reader *reader,
                        int table, int owner, struct layout *layout)
{
    const struct layout_place *places = lua_touserdata(L, decode->places);
    uint32_t at = 0, actual_array, actual_hash;
    uint64_t standins = decode->standins;
    int is_moved = 0;
    reader->sizes(L, table, &actual_array, &actual_hash);
    layout->array = restore_sequence(L, decode, table, owner);
    if (unpack_map(L, decode->unpack) != layout->entries || actual_hash != layout->hash ||
        actual_array != layout->array)
        unpack_fail(L, decode->unpack, "a table of another size than its layout");
    for (uint32_t i = 0; i < layout->entries; i++, at++) {
        while (places[at].state != LAYOUT_ENTRY)
            at++;
        decoder_pair(L, decode, owner);
        is_moved = is_moved || (layout->by_address && restore_is_moved(L, reader));
        reader->put(L, table, at);
    }
    is_moved = is_moved || (layout->by_address && decode->standins != standins);
    const char *wrong = is_moved ? NULL : reader->link(L, table, layout, places);
    if (wrong != NULL && !layout->by_address)
        unpack_fail(L, decode->unpack, wrong);
    if (wrong == NULL && !is_moved)
        return 1;
    lua_newtable(L);
    restore_list_sequence(L, table, layout->array, lua_gettop(L));
    reader->unlay(L, table, lua_gettop(L));
    return 0;
}

/* ---------------------------------------------------------------- entries only */

/* Reads sequence and other entries; pushes the list of the keys in their order, or nil where there
 * is nothing to keep. */
static void restore_entries(lua_State *L, struct decoder *decode, int table, int owner,
                            int keeps_order)
{
    uint32_t sequence = restore_sequence(L, decode, table, owner);
    uint32_t others = unpack_map(L, decode->unpack);
    int keys = 0;
    if (others == 0 || !keeps_order) {
        lua_pushnil(L);
    } else {
        lua_newtable(L);
        keys = lua_gettop(L);
        restore_list_sequence(L, table, sequence, keys);
    }
    restore_pairs(L, decode, table, owner, others, keys);
}

/* ---------------------------------------------------------------- records */

/* Reads the record of the table on top. `owner` is the table that gets what is in it: this one, or
 * one of the base environment. Returns whether a layout was left aside. */
static int restore_record(lua_State *L, struct decoder *decode, int owner)
{
    int table = lua_gettop(L);
    const struct layout_reader *reader = decode->code == NULL ? NULL : decode->code->layout;
    struct layout layout = {0};
    uint32_t parts = unpack_array(L, decode->unpack, UINT32_MAX);
    parts -= decode->has_laid && parts > 0;
    if (parts != 2 && parts != 3)
        unpack_fail(L, decode->unpack, "a record that is no table's");
    enum restored has = decode->has_laid ? restore_layout(L, decode, &layout) : RESTORED_ORDER;
    int is_scripts = has != RESTORED_PIECE;
    int is_laid = has == RESTORED_LAYOUT && reader != NULL &&
                  (!layout.by_address || reader->is_there != NULL);
    int keeps_order = is_scripts && decode->code != NULL && decode->code->order != NULL;
    if (!is_laid)
        restore_entries(L, decode, table, owner, keeps_order);
    else if (restore_laid(L, decode, reader, table, owner, &layout))
        lua_pushnil(L);
    else
        is_laid = 0;
    if (owner != table && reader != NULL)
        reader->exchange(L, table, owner);
    if (keeps_order && !lua_isnil(L, -1))
        decode->code->order(L, decode->code->context, owner, lua_gettop(L));
    lua_settop(L, table);
    if (parts == 3) {
        lua_pushvalue(L, owner);
        lua_rawseti(L, decode->metatables, ++decode->metatables_known);
        decoder_value(L, decode);
        lua_rawseti(L, decode->metatables, ++decode->metatables_known);
    }
    return decode->has_laid && is_scripts && !is_laid;
}

/* [[table, place, key, dead], ...] */
static void restore_removed(lua_State *L, struct decoder *decode)
{
    const struct layout_reader *reader = decode->code == NULL ? NULL : decode->code->layout;
    uint32_t count = unpack_array(L, decode->unpack, UINT32_MAX);
    int top = lua_gettop(L);
    for (uint32_t i = 0; i < count; i++, lua_settop(L, top)) {
        struct unpack_token token;
        unpack_array(L, decode->unpack, 4);
        unpack_next(L, decode->unpack, &token);
        int64_t number = restore_integer(L, decode, &token, 0, decode->tables_known - 1);
        unpack_next(L, decode->unpack, &token);
        uint32_t place = (uint32_t)restore_integer(L, decode, &token, 0, UINT32_MAX);
        if (lua_rawgeti(L, decode->bases, number + 1) == LUA_TNIL)
            lua_rawgeti(L, decode->tables, number + 1);
        int table = lua_gettop(L);
        decoder_value(L, decode);
        unpack_next(L, decode->unpack, &token);
        if (token.type != UNPACK_BOOLEAN)
            unpack_fail(L, decode->unpack, "a removed entry that is none");
        if (reader == NULL || lua_rawgeti(L, decode->unlaid, number + 1) != LUA_TNIL)
            continue;
        lua_pop(L, 1);
        const char *wrong = reader->remove(L, table, place, (int)token.value.integer);
        if (wrong != NULL)
            unpack_fail(L, decode->unpack, wrong);
    }
}

/* [first, count, ...]: see record.c. */
static void restore_garbage(lua_State *L, struct decoder *decode)
{
    const struct code_reader *code = decode->code;
    struct unpack_token token;
    uint32_t left = unpack_array(L, decode->unpack, UINT32_MAX);
    for (; left >= 2; left -= 2) {
        struct code_garbage garbage;
        unpack_next(L, decode->unpack, &token);
        garbage.first = (uint64_t)restore_integer(L, decode, &token, 0, INT64_MAX);
        unpack_next(L, decode->unpack, &token);
        int64_t count = restore_integer(L, decode, &token, -INT64_MAX, INT64_MAX);
        garbage.waits = count < 0;
        garbage.count = (uint64_t)(count < 0 ? -count : count);
        if (code != NULL && code->garbage != NULL)
            code->garbage(L, code->context, &garbage);
    }
    if (left != 0)
        unpack_fail(L, decode->unpack, "garbage without a size");
}

/* The records of the tables from number `first` on. Returns the number of the next. */
static lua_Integer restore_records(lua_State *L, struct decoder *decode, lua_Integer first)
{
    for (; first <= decode->tables_known; first++) {
        int has_base = lua_rawgeti(L, decode->bases, first) != LUA_TNIL, base = lua_gettop(L);
        lua_rawgeti(L, decode->tables, first);
        if (restore_record(L, decode, has_base ? base : base + 1)) {
            lua_pushboolean(L, 1);
            lua_rawseti(L, decode->unlaid, first);
        }
        lua_settop(L, base - 1);
    }
    return first;
}

/* The list of what is marked for finalizers. */
static void restore_finalizers(lua_State *L, struct decoder *decode)
{
    uint32_t count = unpack_array(L, decode->unpack, UINT32_MAX);
    for (uint32_t i = 1; i <= count; i++) {
        decoder_value(L, decode);
        lua_rawseti(L, decode->finalizers, i);
    }
}

void restore_tables(lua_State *L, struct decoder *decode, int exact)
{
    lua_Integer next = restore_records(L, decode, 1);
    if (exact) {
        restore_finalizers(L, decode);
        restore_records(L, decode, next);
    }
    if (decode->has_laid)
        restore_removed(L, decode);
    if (decode->has_places)
        restore_garbage(L, decode);
    if (decode->unpack->left != 0)
        unpack_fail(L, decode->unpack, "more than the last table's record");
}
