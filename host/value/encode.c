#include "value/encode.h"

#include <string.h>

#include <lauxlib.h>

#include "value/encoder.h"
#include "value/names.h"
#include "value/record.h"
#include "value/registry.h"

/* Whether the entry on top of the base table `table` is not for the snapshot, since the script
 * makes it again: a function or transient of that name, a module or class of any. */
static int encode_is_made_again(lua_State *L, const struct encoder *encode, const char *table)
{
    int value = lua_gettop(L), key = value - 1, is_global = strcmp(table, "_G") == 0, is = 0;
    if (lua_type(L, key) != LUA_TSTRING)
        return 0;
    const char *name = lua_tostring(L, key);
    if (is_global && registry_is_transient(L, name))
        return 1;
    lua_pushvalue(L, value);
    if (lua_type(L, value) != LUA_TNUMBER && lua_rawget(L, encode->again) == LUA_TSTRING) {
        const char *description = lua_tostring(L, -1);
        if (is_global)
            lua_pushfstring(L, "function:%s", name);
        else
            lua_pushfstring(L, "function:%s.%s", table, name);
        is = strncmp(description, "function:", 9) != 0 ||
             strcmp(description, lua_tostring(L, -1)) == 0;
    } else if (lua_type(L, value) == LUA_TTABLE) {
        lua_pushvalue(L, value);
        is = lua_rawget(L, encode->registry) == LUA_TSTRING &&
             strncmp(lua_tostring(L, -1), "class:", 6) == 0;
    }
    lua_settop(L, value);
    return is;
}

/* Gives the pairs of a base table that go into the snapshot: their number, and the pairs if `write`
 * is not 0. Names of what the script makes again are appended to the list at `again`, if that is
 * not 0. */
static uint32_t encode_changes(lua_State *L, struct encoder *encode, const char *name, int write,
                               int again)
{
    int top = lua_gettop(L);
    uint32_t count = 0;
    names_push_object(L, name);
    names_push_copy(L, name);
    int table = top + 1, copy = top + 2, key = top + 3, value = top + 4;
    encoder_walk(encode, table);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (!names_is_changed(L, copy))
            continue;
        if (encode_is_made_again(L, encode, name)) {
            if (again != 0) {
                lua_pushvalue(L, key);
                lua_rawseti(L, again, (lua_Integer)lua_rawlen(L, again) + 1);
            }
            continue;
        }
        count++;
        if (write) {
            encoder_key(L, encode, key);
            encoder_value(L, encode, value);
        }
    }
    encoder_walked(L, encode);
    lua_settop(L, top);
    return count;
}

/* The pairs as a map. */
static void encode_changes_map(lua_State *L, struct encoder *encode, const char *name, int again)
{
    uint32_t count = encode_changes(L, encode, name, 0, again);
    pack_map(encode->pack, count);
    if (encode_changes(L, encode, name, 1, 0) != count)
        encoder_changed(L);
}

/* Base tables whose changes are no state of the script: it makes them again when it starts, or they
 * are the host's own. */
static int encode_is_skipped(const char *name)
{
    return strcmp(name, "_G") == 0 || strcmp(name, "arg") == 0 || strcmp(name, "ckpt") == 0 ||
           strcmp(name, "package") == 0 || strncmp(name, "package.", 8) == 0;
}

/* [[name, {key: value}], ...] for the libraries that the script has put data into. */
static void encode_libraries(lua_State *L, struct encoder *encode)
{
    int top = lua_gettop(L);
    lua_newtable(L); /* the names of those */
    names_push_tables(L);
    lua_Integer changed = 0;
    for (lua_Integer i = 1; lua_rawgeti(L, top + 2, i) == LUA_TSTRING; i++) {
        const char *name = lua_tostring(L, -1);
        if (!encode_is_skipped(name) && encode_changes(L, encode, name, 0, 0) > 0)
            lua_rawseti(L, top + 1, ++changed);
        else
            lua_pop(L, 1);
    }
    pack_array(encode->pack, (uint32_t)changed);
    for (lua_Integer i = 1; i <= changed; i++) {
        lua_rawgeti(L, top + 1, i);
        const char *name = lua_tostring(L, -1);
        pack_array(encode->pack, 2);
        pack_text(encode->pack, name);
        encode_changes_map(L, encode, name, 0);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

/* [name, ...] out of the list at index */
static void encode_again_list(lua_State *L, struct encoder *encode, int list)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    pack_array(encode->pack, (uint32_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        encoder_name(L, encode, -1);
        lua_pop(L, 1);
    }
}

void encode_globals(lua_State *L, struct pack *pack, const struct encode_options *options)
{
    int top = lua_gettop(L);
    lua_pushglobaltable(L);
    struct encoder *encode = encoder_start(L, pack, options, top + 1, 0);
    lua_newtable(L);
    int again = lua_gettop(L);
    encode_changes_map(L, encode, "_G", again);
    encode_libraries(L, encode);
    encode_again_list(L, encode, again);
    record_all(L, encode);
    record_end(L, encode);
    encoder_end(encode);
    lua_settop(L, top);
}

/* The pairs of the table at index as a map. */
static void encode_pairs(lua_State *L, struct encoder *encode, int table,
                         const struct encode_options *options)
{
    uint32_t left = 0;
    for (lua_pushnil(L); options->walker->next(L, options->walker->context, table) != 0;
         lua_pop(L, 1))
        left++;
    pack_map(encode->pack, left);
    encoder_walk(encode, table);
    for (lua_pushnil(L); options->walker->next(L, options->walker->context, table) != 0;
         lua_pop(L, 1)) {
        if (left-- == 0)
            encoder_changed(L);
        encoder_key(L, encode, lua_gettop(L) - 1);
        encoder_value(L, encode, lua_gettop(L));
    }
    if (left != 0)
        encoder_changed(L);
    encoder_walked(L, encode);
}

/* Whether the metatable of the base table on top is other than at the start. Pushes it, or nil. */
static int encode_push_metatable(lua_State *L, const char *name)
{
    if (!lua_getmetatable(L, -1))
        lua_pushnil(L);
    lua_pushfstring(L, "%s.<metatable>", name);
    names_push_object(L, lua_tostring(L, -1));
    int same = lua_rawequal(L, -1, -3);
    lua_pop(L, 2);
    return !same;
}

/* Whether a base table has other entries than at the start, or another metatable. */
static int encode_is_touched(lua_State *L, const char *name)
{
    int top = lua_gettop(L), touched = 0, copy = top + 2, entries = 0;
    names_push_object(L, name);
    names_push_copy(L, name);
    for (lua_pushnil(L); !touched && lua_next(L, top + 1) != 0; lua_pop(L, 1)) {
        touched = names_is_changed(L, copy);
        entries++;
    }
    lua_settop(L, copy);
    for (lua_pushnil(L); !touched && lua_next(L, copy) != 0; lua_pop(L, 1))
        entries--;
    lua_settop(L, top + 1);
    touched = touched || entries != 0 || encode_push_metatable(L, name);
    lua_settop(L, top);
    return touched;
}

/* [name, table] */
static void encode_whole(lua_State *L, struct encoder *encode, const char *name)
{
    names_push_object(L, name);
    pack_array(encode->pack, 2);
    pack_text(encode->pack, name);
    encoder_table(L, encode, lua_gettop(L));
    lua_pop(L, 1);
}

/* Leaves those in the list on top that go into the snapshot, and returns their number. Those that
 * the loaders of their classes make are marked by them; others are either in the snapshot already,
 * or garbage. */
static lua_Integer encode_choose_finalizers(lua_State *L, struct encoder *encode, int has_garbage)
{
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list), kept = 0;
    for (lua_Integer i = 1; i <= count; i++, lua_settop(L, list)) {
        lua_rawgeti(L, list, i);
        if (registry_push_saver(L, list + 1) ||
            (!has_garbage && !encoder_is_known(L, encode, list + 1)))
            continue;
        lua_rawseti(L, list, ++kept);
    }
    return kept;
}

/* The list of what has finalizers, and the records of the tables in it that are new. */
static void encode_finalizers(lua_State *L, struct encoder *encode)
{
    const struct encode_options *options = encode->options;
    enum encode_garbage garbage = options->garbage == NULL ? ENCODE_GARBAGE : *options->garbage;
    options->code->finalizers(L, options->code->context);
    int list = lua_gettop(L);
    lua_Integer count = encode_choose_finalizers(L, encode, garbage == ENCODE_GARBAGE);
    if (garbage == ENCODE_GARBAGE && options->garbage != NULL)
        *options->garbage = ENCODE_GARBAGE_REFUSED;
    pack_array(encode->pack, (uint32_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        encoder_value(L, encode, list + 1);
        lua_pop(L, 1);
    }
    record_all(L, encode);
    if (options->garbage != NULL)
        *options->garbage = garbage;
    lua_pop(L, 1);
}

/* Appends the names of the base tables that have changed since the start to the list on top, and
 * returns their number. */
static lua_Integer encode_find_touched(lua_State *L, const struct walker *walker)
{
    int list = lua_gettop(L), names = list + 1;
    lua_Integer found = 0;
    names_push_tables(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, names);
    for (lua_Integer i = 1; i <= count; i++) {
        if (walker->is_same != NULL && walker->is_same(walker->context, (size_t)i))
            continue;
        lua_rawgeti(L, names, i);
        if (encode_is_touched(L, lua_tostring(L, -1))) {
            lua_rawseti(L, list, ++found);
            continue;
        }
        if (walker->remember != NULL) {
            names_push_object(L, lua_tostring(L, -1));
            walker->remember(L, walker->context, lua_gettop(L), (size_t)i);
        }
        lua_settop(L, names);
    }
    lua_settop(L, list);
    return found;
}

void encode_exact(lua_State *L, int roots, struct pack *pack, const struct encode_options *options)
{
    int top = lua_gettop(L);
    lua_pushvalue(L, roots);
    lua_pushglobaltable(L);
    struct encoder *encode = encoder_start(L, pack, options, top + 2, 1);
    encode->roots = top + 1;
    encode_pairs(L, encode, top + 1, options);
    lua_newtable(L);
    int names = lua_gettop(L);
    lua_Integer count = encode_find_touched(L, options->walker);
    pack_array(pack, (uint32_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, names, i);
        encode_whole(L, encode, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    pack_array(pack, (uint32_t)((options->layout != NULL) + encode->has_places));
    if (options->layout != NULL)
        pack_text(pack, "layout");
    if (encode->has_places)
        pack_text(pack, "places");
    record_all(L, encode);
    encode_finalizers(L, encode);
    record_end(L, encode);
    encoder_end(encode);
    lua_settop(L, top);
}

void encode_table(lua_State *L, int table, struct pack *pack, const struct encode_options *options)
{
    int top = lua_gettop(L);
    table = lua_absindex(L, table);
    struct encoder *encode = encoder_start(L, pack, options, table, 0);
    encode_pairs(L, encode, table, options);
    pack_array(pack, 0);
    pack_array(pack, 0);
    record_all(L, encode);
    record_end(L, encode);
    encoder_end(encode);
    lua_settop(L, top);
}
