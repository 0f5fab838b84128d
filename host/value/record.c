#include "value/record.h"

#include <stdlib.h>

#include <lauxlib.h>

#include "value/names.h"
#include "value/registry.h"

/* The metatable of the table at index is below it. */
static void record_metatable(lua_State *L, struct encoder *encode, int table)
{
    if (registry_push_saver(L, table - 1)) {
        lua_pushliteral(L, "a metatable that has a save function itself cannot be saved");
        encoder_refuse(L, encode, table - 1);
    }
    encoder_value(L, encode, table - 1);
}

/* ---------------------------------------------------------------- entries only */

enum { RECORD_AHEAD = 12 }; /* entries: what they need is fetched from memory in the meantime */

/* The values of so many places from 1 on, all of them in the array part if there is a way to look
 * inside. */
static void record_array(lua_State *L, struct encoder *encode, int table, uint32_t count)
{
    const struct layout_writer *inside = encode->inside;
    struct layout_numbers numbers;
    int value = lua_gettop(L) + 1;
    pack_array(encode->pack, count);
    for (uint32_t i = 0, run; i < count; i += run) {
        run = inside->numbers(L, table, i, count - i, &numbers);
        if (run == 0) {
            encoder_typed(L, encode, value, inside->value(L, table, i));
            lua_settop(L, value - 1);
            run = 1;
        } else if (numbers.are_floats) {
            pack_floats(encode->pack, numbers.u.floats, run);
        } else {
            pack_integers(encode->pack, numbers.u.integers, run);
        }
    }
}

/* Key and value are on top; pops them. */
static void record_pair(lua_State *L, struct encoder *encode)
{
    int value = lua_gettop(L);
    encoder_key(L, encode, value - 1);
    encoder_value(L, encode, value);
    lua_settop(L, value - 2);
}

/* Writes those of the array part from that place on, and all of the hash part: `left` entries. */
static void record_others(lua_State *L, struct encoder *encode, int table, uint32_t place,
                          uint32_t left)
{
    const struct layout_writer *inside = encode->inside;
    uint32_t array, hash;
    inside->sizes(L, table, &array, &hash);
    pack_map(encode->pack, left);
    for (; place < array && left > 0; place++) {
        lua_pushinteger(L, (lua_Integer)place + 1);
        if (inside->value(L, table, place) == LUA_TNIL) {
            lua_pop(L, 2);
            continue;
        }
        record_pair(L, encode);
        left--;
    }
    for (uint32_t i = 0; i < hash && left > 0; i++) {
        const void *addresses[2];
        inside->fetch_entry(L, table, i + RECORD_AHEAD, addresses);
        idmap_fetch(&encode->map, addresses[0]);
        idmap_fetch(&encode->map, addresses[1]);
        if (!inside->entry(L, table, i))
            continue;
        record_pair(L, encode);
        left--;
    }
    if (left != 0)
        encoder_changed(L);
}

/* [sequence], {others} */
static void record_entries(lua_State *L, struct encoder *encode, int table,
                           const struct queue_counts *counts)
{
    const struct walker *walker = encode->options->walker;
    uint32_t array = 0, hash = 0, others = 0;
    int key = table + 1;
    if (encode->inside != NULL)
        encode->inside->sizes(L, table, &array, &hash);
    if (encode->inside != NULL && counts->sequence <= array) {
        record_array(L, encode, table, counts->sequence);
        record_others(L, encode, table, counts->sequence, counts->others);
        return;
    }
    pack_array(encode->pack, counts->sequence);
    for (uint32_t i = 1; i <= counts->sequence; i++) {
        encoder_typed(L, encode, key, lua_rawgeti(L, table, i));
        lua_settop(L, table);
    }
    pack_map(encode->pack, counts->others);
    if (counts->sequence > 0)
        lua_pushinteger(L, counts->sequence);
    else
        lua_pushnil(L);
    for (; walker->next(L, walker->context, table); lua_pop(L, 1)) {
        if (++others > counts->others)
            encoder_changed(L);
        encoder_key(L, encode, key);
        encoder_value(L, encode, key + 1);
    }
    if (others != counts->others)
        encoder_changed(L);
}

/* ---------------------------------------------------------------- with the layout */

/* nil for an array part as a new one (false for what is no table of Lua: encoder_begin), or [by
 * address, limit, last free, place, ...] */
static void record_layout(lua_State *L, struct encoder *encode, int table,
                          const struct layout *layout)
{
    if (layout->hash == 0 && layout->limit == LAYOUT_NO_LIMIT) {
        pack_nil(encode->pack);
        return;
    }
    pack_array(encode->pack, 3 + layout->hash);
    pack_boolean(encode->pack, layout->by_address);
    if (layout->limit == LAYOUT_NO_LIMIT)
        pack_nil(encode->pack);
    else
        pack_integer(encode->pack, layout->limit);
    pack_integer(encode->pack, layout->last_free);
    for (uint32_t i = 0; i < layout->hash; i++) {
        struct layout_place place = encode->options->layout->place(L, table, i);
        if (place.state == LAYOUT_REMOVED)
            pack_array(encode->pack, 1);
        if (place.state == LAYOUT_FREE)
            pack_nil(encode->pack);
        else
            pack_integer(encode->pack, place.next);
    }
}

/* true, [array part], {the others, in the order that they have now}: Lua's own order, which the
 * layout would tell, is another one */
static void record_ordered(lua_State *L, struct encoder *encode, int table,
                           const struct queue_counts *counts)
{
    const struct layout_writer *writer = encode->options->layout;
    const struct walker *walker = encode->options->walker;
    struct layout layout;
    int key = table + 1, value = table + 2;
    uint32_t others = 0;
    writer->look(L, table, &layout);
    if (layout.array != counts->sequence || layout.hash != counts->others)
        encoder_changed(L);
    pack_boolean(encode->pack, 1);
    record_array(L, encode, table, layout.array);
    pack_map(encode->pack, layout.entries);
    for (lua_pushnil(L); walker->next(L, walker->context, table); lua_pop(L, 1)) {
        if (lua_isinteger(L, key) && lua_tointeger(L, key) >= 1 &&
            lua_tointeger(L, key) <= layout.array)
            continue;
        if (++others > layout.entries)
            encoder_changed(L);
        encoder_key(L, encode, key);
        encoder_value(L, encode, value);
    }
    if (others != layout.entries)
        encoder_changed(L);
}

/* layout, [array part], {hash part} */
static void record_laid(lua_State *L, struct encoder *encode, int table,
                        const struct queue_counts *counts)
{
    const struct layout_writer *writer = encode->options->layout;
    struct layout layout;
    writer->look(L, table, &layout);
    if (layout.array != counts->sequence || layout.hash != counts->others)
        encoder_changed(L);
    if (layout.removed > 0) {
        const struct record_removed removed = {counts->number, layout.hash};
        if (bytes_append(&encode->removed, &removed, sizeof removed) != 0)
            luaL_error(L, "not enough memory");
        lua_pushvalue(L, table);
        lua_rawseti(L, encode->removed_tables,
                    (lua_Integer)(encode->removed.size / sizeof removed));
    }
    record_layout(L, encode, table, &layout);
    record_array(L, encode, table, layout.array);
    record_others(L, encode, table, layout.array, layout.entries);
}

/* Writes the table on top, and pops it. */
static void record_write(lua_State *L, struct encoder *encode, const struct queue_counts *counts)
{
    const struct walker *walker = encode->options->walker;
    int table = lua_gettop(L), is_laid = encode->options->layout != NULL;
    int has_metatable = lua_getmetatable(L, table);
    if (has_metatable)
        lua_insert(L, table);
    table += has_metatable;

    encoder_walk(encode, table);
    pack_array(encode->pack, (uint32_t)(2 + is_laid + has_metatable));
    if (is_laid && walker->is_other != NULL && walker->is_other(L, walker->context, table))
        record_ordered(L, encode, table, counts);
    else if (is_laid)
        record_laid(L, encode, table, counts);
    else
        record_entries(L, encode, table, counts);
    encoder_walked(L, encode);
    if (has_metatable)
        record_metatable(L, encode, table);
    lua_settop(L, table - 1 - has_metatable);
    encoder_check_sink(L, encode);
}

/* ---------------------------------------------------------------- removed entries */

/* A removed entry whose key is still there, or is but an address. An address tells nothing by
 * itself; but that of an object that is in the snapshot, or of a string that is alive, is that key.
 */
struct record_key {
    const void *address; /* NULL: the key is there, and no object */
    uint64_t number;     /* of the object at the address, as in the map; 0: not known */
    size_t table;        /* in the list of tables, from 0 */
    uint32_t place;
    uint8_t dead;
};

struct record_keys {
    struct encoder *encode;
    size_t known;   /* those that are written */
    size_t unknown; /* dead ones whose address is not in the map */
    int writes;     /* what record_string does */
};

static const struct record_removed *record_tables(const struct encoder *encode, size_t *count)
{
    *count = encode->removed.size / sizeof(struct record_removed);
    return (const struct record_removed *)(const void *)encode->removed.data;
}

static struct record_key *record_all_keys(const struct record_keys *keys, size_t *count)
{
    *count = keys->encode->removed_keys.size / sizeof(struct record_key);
    return (struct record_key *)(void *)keys->encode->removed_keys.data;
}

/* The number of the object that the map has at that address, or 0. */
static uint64_t record_known(const struct encoder *encode, const void *address)
{
    uint64_t number = idmap_get(&encode->map, address);
    return number > ENCODER_SPECIAL ? number : 0;
}

/* The same of the object that has that address, as Lua has it. */
static uint64_t record_number(const struct encoder *encode, const void *address)
{
    const void *aliases[LAYOUT_ALIASES];
    encode->options->layout->aliases(address, aliases);
    for (int i = 0; i < LAYOUT_ALIASES; i++) {
        uint64_t number = record_known(encode, aliases[i]);
        if (number != 0)
            return number;
    }
    return 0;
}

static int record_is_object(int type)
{
    return type != LUA_TSTRING && type != LUA_TNUMBER && type != LUA_TBOOLEAN;
}

/* Adds a removed entry, unless nothing can be known of its key. */
static void record_add(lua_State *L, struct record_keys *keys, int table, struct record_key key)
{
    struct encoder *encode = keys->encode;
    key.address = encode->options->layout->removed(L, table, key.place);
    key.dead = key.address != NULL;
    int type = lua_type(L, -1);
    if (key.dead) {
        key.number = record_number(encode, key.address);
    } else if (type != LUA_TNIL && record_is_object(type)) {
        key.address = names_address(L, -1);
        key.number = record_known(encode, key.address);
    }
    lua_pop(L, 1);
    if (type == LUA_TNIL && !key.dead)
        return;
    keys->known += key.address == NULL || key.number != 0;
    keys->unknown += key.dead && key.number == 0;
    if (bytes_append(&encode->removed_keys, &key, sizeof key) != 0)
        luaL_error(L, "not enough memory");
}

/* The key is on top; pops nothing. */
static void record_put(lua_State *L, struct encoder *encode, const struct record_key *key)
{
    size_t count;
    pack_array(encode->pack, 4);
    pack_integer(encode->pack, (int64_t)record_tables(encode, &count)[key->table].number);
    pack_integer(encode->pack, key->place);
    if (key->number != 0)
        encoder_reference(encode, key->number);
    else
        encoder_value(L, encode, lua_gettop(L));
    pack_boolean(encode->pack, key->dead);
}

static int record_compare(const void *a, const void *b)
{
    const struct record_key *one = a, *other = b;
    if (one->address != other->address)
        return one->address < other->address ? -1 : 1;
    return one->table != other->table ? (one->table < other->table ? -1 : 1)
                                      : (one->place > other->place) - (one->place < other->place);
}

/* A string is alive that has this address: counts, or writes, the entries whose key that is. */
static void record_string(lua_State *L, void *context, const void *address)
{
    struct record_keys *keys = context;
    size_t count, low = 0;
    const struct record_key *all = record_all_keys(keys, &count);
    for (size_t high = count; low < high;) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].address < address)
            low = middle + 1;
        else
            high = middle;
    }
    for (; low < count && all[low].address == address; low++) {
        if (all[low].number != 0 || !all[low].dead)
            continue;
        if (keys->writes)
            record_put(L, keys->encode, &all[low]);
        else
            keys->known++;
    }
}

static void record_collect(lua_State *L, struct record_keys *keys)
{
    size_t tables, count;
    const struct record_removed *removed = record_tables(keys->encode, &tables);
    for (size_t i = 0; i < tables; i++) {
        lua_rawgeti(L, keys->encode->removed_tables, (lua_Integer)i + 1);
        for (uint32_t place = 0; place < removed[i].hash; place++)
            record_add(L, keys, lua_gettop(L), (struct record_key){.table = i, .place = place});
        lua_pop(L, 1);
    }
    struct record_key *all = record_all_keys(keys, &count);
    if (count > 0)
        qsort(all, count, sizeof *all, record_compare);
}

/* [[table, place, key, dead], ...] */
static void record_removed(lua_State *L, struct encoder *encode)
{
    const struct layout_writer *writer = encode->options->layout;
    struct record_keys keys = {.encode = encode};
    size_t count;
    record_collect(L, &keys);
    if (keys.unknown > 0)
        writer->strings(L, record_string, &keys);
    if (keys.known > UINT32_MAX)
        luaL_error(L, "too many removed entries of tables");
    pack_array(encode->pack, (uint32_t)keys.known);
    const struct record_key *all = record_all_keys(&keys, &count);
    for (size_t i = 0; i < count; i++) {
        if (all[i].address != NULL && all[i].number == 0)
            continue;
        if (all[i].address == NULL) {
            lua_rawgeti(L, encode->removed_tables, (lua_Integer)all[i].table + 1);
            writer->removed(L, lua_gettop(L), all[i].place);
        }
        record_put(L, encode, &all[i]);
        lua_pop(L, all[i].address == NULL ? 2 : 0);
    }
    keys.writes = 1;
    if (keys.unknown > 0)
        writer->strings(L, record_string, &keys);
}

/* [first, count, ...] of the places of garbage; a count is negative where it waits for a finalizer
 */
static void record_garbage(lua_State *L, struct encoder *encode)
{
    const struct code_writer *code = encode->options->code;
    struct code_garbage garbage;
    uint64_t count = 0;
    while (code->garbage(L, code->context, &garbage))
        count += 2;
    if (count > UINT32_MAX)
        luaL_error(L, "too much garbage; call collectgarbage()");
    pack_array(encode->pack, (uint32_t)count);
    while (code->garbage(L, code->context, &garbage)) {
        pack_integer(encode->pack, (int64_t)garbage.first);
        pack_integer(encode->pack,
                     garbage.waits ? -(int64_t)garbage.count : (int64_t)garbage.count);
    }
}

void record_all(lua_State *L, struct encoder *encode)
{
    struct queue_counts counts;
    struct code_piece piece;
    enum queue_next next;
    while ((next = queue_take(L, &encode->queue, &counts, &piece)) != QUEUE_END)
        if (next == QUEUE_PIECE)
            piece.write(L, encode, &piece);
        else
            record_write(L, encode, &counts);
}

void record_end(lua_State *L, struct encoder *encode)
{
    if (encode->options->layout != NULL)
        record_removed(L, encode);
    if (encode->has_places)
        record_garbage(L, encode);
    pack_flush(encode->pack);
    encoder_check_sink(L, encode);
}
