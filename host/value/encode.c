#include "value/encode.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "base/bytes.h"
#include "value/idmap.h"
#include "value/late.h"
#include "value/names.h"
#include "value/path.h"
#include "value/registry.h"
#include "value/shape.h"

/* Numbers in the map: 0 new; ENCODE_SPECIAL for an object with a description that was not written
 * yet; else the object's number, shifted, and the sequence it is from. */
enum { ENCODE_SPECIAL = 1, ENCODE_TABLE = 2, ENCODE_SHARED = 3, ENCODE_SHIFT = 2 };

/* The queue is a chain of Lua tables of this many places, the next one behind them. */
enum { ENCODE_CHUNK = 1000 };

struct encode_counts {
    uint32_t sequence, others;
};

struct encode {
    struct pack *pack;
    const struct encode_options *options;
    struct idmap map;
    int has_savers; /* Lua code runs meanwhile, and may collect what is not held */
    lua_Integer held;
    uint64_t tables, shared;                  /* numbers given */
    struct bytes counts;                      /* struct encode_counts of the tables in the queue */
    size_t counts_read;                       /* bytes of them that were used */
    int root;                                 /* stack indices: the table the search for a */
    int head, tail, head_at, tail_at;         /* path starts from; the queue's chunks */
    int late, registry, again, names, anchor; /* object -> description; what must not be freed */
    int spare;                                /* a chunk that was used up, or nil */
    int walked;                               /* the table whose entries are being written, or 0 */
    int marked;                               /* whether a save function was called meanwhile; */
    uint64_t mark;                            /* encode_keys of that table before it was */
};

static const char encode_metatable[] = "ckptlua.encode";

static int encode_free(lua_State *L)
{
    struct encode *encode = lua_touserdata(L, 1);
    idmap_free(&encode->map);
    bytes_free(&encode->counts);
    return 0;
}

static int encode_no_memory(lua_State *L)
{
    return luaL_error(L, "not enough memory");
}

/* The address that an object is known by in the map. A userdata's own may be that of an empty block
 * at its end, which is where another object begins; the byte before is in its header. */
static const void *encode_address(lua_State *L, int index)
{
    const char *address = lua_topointer(L, index);
    return lua_type(L, index) == LUA_TUSERDATA ? address - 1 : address;
}

/* What has a number keeps its address: a save function may drop objects and collect them. */
static void encode_hold(lua_State *L, struct encode *encode, int index)
{
    if (encode->has_savers) {
        lua_pushvalue(L, index);
        lua_rawseti(L, encode->anchor, ++encode->held);
    }
}

static struct idmap_entry *encode_find(lua_State *L, struct encode *encode, const void *address)
{
    struct idmap_entry *entry = idmap_find(&encode->map, address);
    if (entry == NULL)
        encode_no_memory(L);
    return entry;
}

/* ---------------------------------------------------------------- refusals */

/* Raises "PATH: " and the message on top. */
static int encode_refuse(lua_State *L, const struct encode *encode, int index)
{
    index = lua_absindex(L, index);
    path_push(L, encode->root, index, encode->names);
    lua_pushliteral(L, ": ");
    lua_rotate(L, -3, 2);
    lua_concat(L, 3);
    return lua_error(L);
}

static int encode_refuse_function(lua_State *L, const struct encode *encode, int index)
{
    lua_Debug debug;
    lua_pushvalue(L, index);
    lua_getinfo(L, ">S", &debug);
    if (*debug.what == 'C')
        lua_pushliteral(L, "a C function without a name cannot be saved; set it to nil before "
                           "checkpoint(), or make it with ckpt.transient");
    else
        lua_pushfstring(L,
                        "the Lua function (%s:%d) is not kept by --resume globals; define it as a "
                        "global function or in a module, or ckpt.register the table it is in",
                        debug.short_src, debug.linedefined);
    return encode_refuse(L, encode, index);
}

static int encode_refuse_other(lua_State *L, const struct encode *encode, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TFUNCTION:
        return encode_refuse_function(L, encode, index);
    case LUA_TTHREAD:
        lua_pushliteral(L, "a coroutine is not kept by --resume globals; set it to nil before "
                           "checkpoint()");
        break;
    case LUA_TLIGHTUSERDATA:
        lua_pushliteral(L, "a light userdata is a bare address and cannot be saved; set it to nil "
                           "before checkpoint()");
        break;
    default: {
        const char *type = "unnamed";
        if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING)
            type = lua_tostring(L, -1);
        lua_pushfstring(L,
                        "userdata (%s) has no saver; set it to nil before checkpoint(), or "
                        "ckpt.register it",
                        type);
    }
    }
    return encode_refuse(L, encode, index);
}

/* ---------------------------------------------------------------- values */

static void encode_reference(struct encode *encode, int8_t type, uint64_t number)
{
    unsigned char data[8];
    if (number <= UINT32_MAX) {
        bytes_put_u32(data, (uint32_t)number);
        pack_extension(encode->pack, type, data, 4);
    } else {
        bytes_put_u64(data, number);
        pack_extension(encode->pack, type, data, 8);
    }
}

/* A string that is part of the layout, and so takes no number. */
static void encode_name(lua_State *L, struct encode *encode, int index)
{
    size_t size;
    const char *name = lua_tolstring(L, index, &size);
    pack_string(encode->pack, name, size);
}

static uint64_t encode_next_shared(struct encode *encode)
{
    return encode->shared++ << ENCODE_SHIFT | ENCODE_SHARED;
}

static void encode_string(lua_State *L, struct encode *encode, int index)
{
    size_t size;
    const char *data = lua_tolstring(L, index, &size);
    if (size >= SHAPE_SHARED_STRING) {
        struct idmap_entry *entry = encode_find(L, encode, data);
        if (entry->number != 0) {
            encode_reference(encode, SHAPE_SHARED_REF, entry->number >> ENCODE_SHIFT);
            return;
        }
        entry->number = encode_next_shared(encode);
        encode_hold(L, encode, index);
    }
    pack_string(encode->pack, data, size);
}

/* Pushes the description of the object at index, or nil. */
static void encode_push_description(lua_State *L, const struct encode *encode, int index)
{
    const int sources[] = {encode->late, encode->registry, encode->again};
    index = lua_absindex(L, index);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        lua_pushvalue(L, index);
        if (lua_rawget(L, sources[i]) != LUA_TNIL)
            return;
        lua_pop(L, 1);
    }
    lua_pushliteral(L, "name:");
    lua_pushvalue(L, index);
    if (lua_rawget(L, encode->names) == LUA_TNIL)
        lua_remove(L, -2);
    else
        lua_concat(L, 2);
}

static void encode_special(lua_State *L, struct encode *encode, int index,
                           struct idmap_entry *entry)
{
    encode_push_description(L, encode, index);
    const char *description = lua_tostring(L, -1), *colon = strchr(description, ':');
    if (strncmp(description, "userdata:", 9) == 0) {
        lua_pushfstring(L, "a userdata (%s) of another program's snapshot cannot be saved again",
                        colon + 1);
        encode_refuse(L, encode, index);
    }
    msgpack_pack_array(&encode->pack->packer, 2);
    msgpack_pack_str_with_body(&encode->pack->packer, description, (size_t)(colon - description));
    pack_string(encode->pack, colon + 1, strlen(colon + 1));
    lua_pop(L, 1);
    entry->number = encode_next_shared(encode);
}

/* Appends the table at index to the queue. */
static void encode_enqueue(lua_State *L, struct encode *encode, int index,
                           const struct encode_counts *counts)
{
    if (encode->tail_at == ENCODE_CHUNK) {
        if (lua_isnil(L, encode->spare)) {
            lua_createtable(L, ENCODE_CHUNK + 1, 0);
        } else {
            lua_pushvalue(L, encode->spare);
            lua_pushnil(L);
            lua_replace(L, encode->spare);
        }
        lua_pushvalue(L, -1);
        lua_rawseti(L, encode->tail, ENCODE_CHUNK + 1);
        lua_replace(L, encode->tail);
        encode->tail_at = 0;
    }
    lua_pushvalue(L, index);
    lua_rawseti(L, encode->tail, ++encode->tail_at);
    if (encode->counts_read > encode->counts.size / 2 + 4096) {
        memmove(encode->counts.data, encode->counts.data + encode->counts_read,
                encode->counts.size - encode->counts_read);
        encode->counts.size -= encode->counts_read;
        encode->counts_read = 0;
    }
    if (bytes_append(&encode->counts, counts, sizeof *counts) != 0)
        encode_no_memory(L);
}

/* Takes the next table from the queue and pushes it; returns 0 where there is none. */
static int encode_dequeue(lua_State *L, struct encode *encode, struct encode_counts *counts)
{
    if (encode->counts_read == encode->counts.size)
        return 0;
    memcpy(counts, encode->counts.data + encode->counts_read, sizeof *counts);
    encode->counts_read += sizeof *counts;
    if (encode->head_at == ENCODE_CHUNK) {
        lua_rawgeti(L, encode->head, ENCODE_CHUNK + 1);
        lua_pushvalue(L, encode->head);
        lua_replace(L, encode->spare);
        lua_replace(L, encode->head);
        encode->head_at = 0;
    }
    lua_rawgeti(L, encode->head, ++encode->head_at);
    if (encode->counts_read == encode->counts.size) { /* empty, so in the tail's chunk */
        encode->counts_read = encode->counts.size = 0;
        encode->head_at = encode->tail_at = 0;
    }
    return 1;
}

static void encode_value(lua_State *L, struct encode *encode, int index);

static void encode_new_table(lua_State *L, struct encode *encode, int index,
                             struct idmap_entry *entry)
{
    entry->number = encode->tables++ << ENCODE_SHIFT | ENCODE_TABLE;
    struct encode_counts counts;
    encode->options->walker->count(L, index, &counts.sequence, &counts.others);
    unsigned char data[8];
    bytes_put_u32(data, counts.sequence);
    bytes_put_u32(data + 4, counts.others);
    pack_extension(encode->pack, SHAPE_TABLE, data, sizeof data);
    encode_enqueue(L, encode, index, &counts);
    encode_hold(L, encode, index);
}

/* What tells whether the entries of the table at index are the same, in the same order, as at
 * another time. */
static uint64_t encode_keys(lua_State *L, int table)
{
    uint64_t mark = 0;
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        uint64_t key = (uint64_t)(uintptr_t)lua_topointer(L, -2);
        if (lua_isinteger(L, -2)) {
            key = (uint64_t)lua_tointeger(L, -2);
        } else if (lua_type(L, -2) == LUA_TNUMBER) {
            lua_Number number = lua_tonumber(L, -2);
            memcpy(&key, &number, sizeof key);
        } else if (key == 0) {
            key = (uint64_t)lua_toboolean(L, -2) + 1;
        }
        mark = (mark ^ key) * UINT64_C(0x9E3779B97F4A7C15);
        mark ^= mark >> 32;
    }
    return mark;
}

static int encode_changed(lua_State *L)
{
    return luaL_error(L, "a table changed while it was being saved (by a save function?)");
}

/* Entries of the table at index are about to be written, one after the other. */
static void encode_walk(struct encode *encode, int table)
{
    encode->walked = table;
    encode->marked = 0;
}

/* All are written. A table that a save function has changed may have had some twice, and others
 * not at all. */
static void encode_walked(lua_State *L, struct encode *encode)
{
    if (encode->marked && encode_keys(L, encode->walked) != encode->mark)
        encode_changed(L);
    encode->walked = 0;
}

/* Calls a save function with the arguments on top, for the object at index, which is of the class
 * `name`, or of none: NULL. */
static void encode_call_saver(lua_State *L, struct encode *encode, int index, int arguments,
                              const char *name)
{
    if (encode->walked != 0 && !encode->marked) {
        encode->marked = 1;
        encode->mark = encode_keys(L, encode->walked);
    }
    int status = lua_pcall(L, arguments, 1, 0);
    if (status == LUA_OK)
        return;
    if (status == LUA_ERRMEM)
        lua_error(L);
    const char *message = luaL_tolstring(L, -1, NULL);
    if (name == NULL)
        lua_pushstring(L, message);
    else
        lua_pushfstring(L, "the save function of class '%s' failed: %s", name, message);
    encode_refuse(L, encode, index);
}

/* What an object is made of, on top, must be there when it is read back. */
static void encode_check_data(lua_State *L, struct encode *encode, int index, const char *name)
{
    const char *what = NULL;
    int type = lua_type(L, -1);
    if (registry_push_saver(L, -1)) {
        what = "an object that has a save function itself";
    } else if (type == LUA_TUSERDATA && late_describe_object(L, -1)) {
        what = "an object that is not there yet";
    } else if ((type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA) &&
               encode_find(L, encode, encode_address(L, -1))->number != 0) {
        encode_push_description(L, encode, -1);
        if (!lua_isnil(L, -1) && strncmp(lua_tostring(L, -1), "name:", 5) != 0)
            what = "a function, module, class or transient value by itself";
        lua_pop(L, 1);
    }
    if (what == NULL)
        return;
    lua_pushfstring(L, "the save function of class '%s' gave %s; put it into a table", name, what);
    encode_refuse(L, encode, index);
}

/* The object at index has a class with a saver, whose name and function are on top. Pops both. */
static void encode_object(lua_State *L, struct encode *encode, int index, const void *address)
{
    const char *name = lua_tostring(L, -2);
    lua_pushvalue(L, index);
    encode_call_saver(L, encode, index, 1, name);
    encode_check_data(L, encode, index, name);
    encode_hold(L, encode, lua_gettop(L));
    msgpack_pack_array(&encode->pack->packer, 3);
    pack_text(encode->pack, "object");
    encode_name(L, encode, -2);
    encode_value(L, encode, lua_gettop(L));
    lua_pop(L, 2);
    encode_find(L, encode, address)->number = encode_next_shared(encode);
}

/* (type as light userdata, userdata) */
static int encode_run_type_saver(lua_State *L)
{
    const struct userdata_type *type = lua_touserdata(L, 1);
    lua_remove(L, 1);
    type->save(L, 1);
    return 1;
}

static void encode_userdata(lua_State *L, struct encode *encode, int index,
                            struct idmap_entry *entry)
{
    const struct userdata_type *type = registry_type_of(L, index);
    if (type == NULL)
        encode_refuse_other(L, encode, index);
    int top = lua_gettop(L);
    lua_pushcfunction(L, encode_run_type_saver);
    lua_pushlightuserdata(L, (void *)(uintptr_t)type);
    lua_pushvalue(L, index);
    encode_call_saver(L, encode, index, 2, NULL);
    size_t size;
    if (lua_type(L, -1) != LUA_TSTRING) {
        lua_pushfstring(L, "the saver of userdata type '%s' gave no string", type->name);
        encode_refuse(L, encode, index);
    }
    const char *data = lua_tolstring(L, -1, &size);
    msgpack_pack_array(&encode->pack->packer, 3);
    pack_text(encode->pack, "userdata");
    pack_text(encode->pack, type->name);
    pack_string(encode->pack, data, size);
    lua_settop(L, top);
    entry->number = encode_next_shared(encode);
}

/* A stand-in of an object whose class has not been registered in this run goes out as it came. */
static int encode_waiting_object(lua_State *L, struct encode *encode, int index,
                                 const void *address)
{
    if (!late_describe_object(L, index))
        return 0;
    msgpack_pack_array(&encode->pack->packer, 3);
    pack_text(encode->pack, "object");
    encode_name(L, encode, -2);
    encode_value(L, encode, lua_gettop(L));
    lua_pop(L, 2);
    encode_find(L, encode, address)->number = encode_next_shared(encode);
    return 1;
}

/* Anything that is neither a number nor a string nor nil or a boolean. */
static void encode_identity(lua_State *L, struct encode *encode, int index, int type)
{
    const void *address = encode_address(L, index);
    if (type == LUA_TLIGHTUSERDATA) /* its address may be that of an object */
        encode_refuse_other(L, encode, index);
    struct idmap_entry *entry = encode_find(L, encode, address);
    uint64_t number = entry->number;
    if (number == 0) {
        if ((type == LUA_TTABLE || type == LUA_TUSERDATA) && registry_push_saver(L, index))
            encode_object(L, encode, index, address);
        else if (type == LUA_TTABLE)
            encode_new_table(L, encode, index, entry);
        else if (type != LUA_TUSERDATA)
            encode_refuse_other(L, encode, index);
        else if (!encode_waiting_object(L, encode, index, address))
            encode_userdata(L, encode, index, entry);
    } else if (number == ENCODE_SPECIAL) {
        encode_special(L, encode, index, entry);
    } else if ((number & ((1 << ENCODE_SHIFT) - 1)) == ENCODE_TABLE) {
        encode_reference(encode, SHAPE_TABLE_REF, number >> ENCODE_SHIFT);
    } else {
        encode_reference(encode, SHAPE_SHARED_REF, number >> ENCODE_SHIFT);
    }
}

/* index is an absolute one; type is that of the value. */
static void encode_typed(lua_State *L, struct encode *encode, int index, int type)
{
    msgpack_packer *packer = &encode->pack->packer;
    switch (type) {
    case LUA_TNIL:
        msgpack_pack_nil(packer);
        break;
    case LUA_TBOOLEAN:
        if (lua_toboolean(L, index))
            msgpack_pack_true(packer);
        else
            msgpack_pack_false(packer);
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            pack_integer(encode->pack, lua_tointeger(L, index));
        else
            pack_float(encode->pack, lua_tonumber(L, index));
        break;
    case LUA_TSTRING:
        encode_string(L, encode, index);
        break;
    default:
        encode_identity(L, encode, index, type);
    }
}

static void encode_value(lua_State *L, struct encode *encode, int index)
{
    encode_typed(L, encode, index, lua_type(L, index));
}

/* A reference to it would be found again, but not the place of a key. */
static int encode_refuse_key(lua_State *L, const struct encode *encode, const char *transient)
{
    lua_pushfstring(L, "the transient value '%s' is a key here, and cannot be saved as one",
                    transient);
    return encode_refuse(L, encode, encode->walked);
}

static void encode_key(lua_State *L, struct encode *encode, int index)
{
    int type = lua_type(L, index);
    if ((type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA) &&
        encode_find(L, encode, encode_address(L, index))->number != 0) {
        encode_push_description(L, encode, index);
        const char *description = lua_tostring(L, -1);
        if (description != NULL && strncmp(description, "transient:", 10) == 0)
            encode_refuse_key(L, encode, description + 10);
        lua_pop(L, 1);
    }
    encode_typed(L, encode, index, type);
}

/* ---------------------------------------------------------------- records */

static void encode_check_sink(lua_State *L, const struct encode *encode)
{
    if (encode->pack->status != 0)
        luaL_error(L, "writing failed");
}

/* The metatable of the table at index is below it. */
static void encode_metatable_of(lua_State *L, struct encode *encode, int table)
{
    if (registry_push_saver(L, table - 1)) {
        lua_pushliteral(L, "a metatable that has a save function itself cannot be saved");
        encode_refuse(L, encode, table - 1);
    }
    encode_value(L, encode, table - 1);
}

/* Writes the table on top, and pops it. */
static void encode_record(lua_State *L, struct encode *encode, const struct encode_counts *counts)
{
    int (*const next)(lua_State *, int) = encode->options->walker->next;
    msgpack_packer *packer = &encode->pack->packer;
    int table = lua_gettop(L), key = table + 1, value = table + 2;
    int has_metatable = lua_getmetatable(L, table);
    if (has_metatable)
        lua_insert(L, table);
    table += has_metatable, key += has_metatable, value += has_metatable;

    encode_walk(encode, table);
    msgpack_pack_array(packer, has_metatable ? 3 : 2);
    msgpack_pack_array(packer, counts->sequence);
    for (uint32_t i = 1; i <= counts->sequence; i++) {
        encode_typed(L, encode, key, lua_rawgeti(L, table, i));
        lua_settop(L, table);
    }
    msgpack_pack_map(packer, counts->others);
    if (counts->sequence > 0)
        lua_pushinteger(L, counts->sequence);
    else
        lua_pushnil(L);
    uint32_t others = 0;
    for (; next(L, table); lua_pop(L, 1)) {
        if (++others > counts->others)
            encode_changed(L);
        encode_key(L, encode, key);
        encode_value(L, encode, value);
    }
    if (others != counts->others)
        encode_changed(L);
    encode_walked(L, encode);
    if (has_metatable)
        encode_metatable_of(L, encode, table);
    lua_settop(L, table - 1 - has_metatable);
    encode_check_sink(L, encode);
}

static void encode_records(lua_State *L, struct encode *encode)
{
    struct encode_counts counts;
    while (encode_dequeue(L, encode, &counts))
        encode_record(L, encode, &counts);
    pack_flush(encode->pack);
    encode_check_sink(L, encode);
}

/* ---------------------------------------------------------------- roots */

/* Enters all keys of the table on top into the map, as objects with a description. */
static int encode_add_special(lua_State *L, struct encode *encode)
{
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        encode_hold(L, encode, lua_gettop(L) - 1);
        encode_find(L, encode, encode_address(L, -2))->number = ENCODE_SPECIAL;
    }
    return lua_gettop(L);
}

/* Pushes what the encoder keeps on the stack. */
static struct encode *encode_start(lua_State *L, struct pack *pack,
                                   const struct encode_options *options, int root)
{
    luaL_checkstack(L, 48, NULL);
    struct encode *encode = lua_newuserdatauv(L, sizeof *encode, 0);
    *encode = (struct encode){.pack = pack, .options = options, .root = root};
    encode->has_savers = registry_has_savers(L);
    luaL_newmetatable(L, encode_metatable);
    lua_pushcfunction(L, encode_free);
    lua_setfield(L, -2, "__gc"); /* always: the first time may have run out of memory here */
    lua_setmetatable(L, -2);
    lua_createtable(L, ENCODE_CHUNK + 1, 0);
    lua_pushvalue(L, -1);
    encode->head = lua_gettop(L) - 1;
    encode->tail = lua_gettop(L);
    lua_pushnil(L);
    encode->spare = lua_gettop(L);
    lua_newtable(L);
    encode->anchor = lua_gettop(L);
    names_push_all(L);
    encode->names = encode_add_special(L, encode);
    again_collect(L, options->push_line, options->context);
    encode->again = encode_add_special(L, encode);
    registry_push_all(L);
    encode->registry = encode_add_special(L, encode);
    late_push_all(L);
    encode->late = encode_add_special(L, encode);
    return encode;
}

/* Whether the entry on top of the base table `table` is not for the snapshot, since the script
 * makes it again: a function or transient of that name, a module or class of any. */
static int encode_is_made_again(lua_State *L, const struct encode *encode, const char *table)
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
static uint32_t encode_changes(lua_State *L, struct encode *encode, const char *name, int write,
                               int again)
{
    int top = lua_gettop(L);
    uint32_t count = 0;
    names_push_object(L, name);
    names_push_copy(L, name);
    int table = top + 1, copy = top + 2, key = top + 3, value = top + 4;
    encode_walk(encode, table);
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
            encode_key(L, encode, key);
            encode_value(L, encode, value);
        }
    }
    encode_walked(L, encode);
    lua_settop(L, top);
    return count;
}

/* The pairs as a map. */
static void encode_changes_map(lua_State *L, struct encode *encode, const char *name, int again)
{
    uint32_t count = encode_changes(L, encode, name, 0, again);
    msgpack_pack_map(&encode->pack->packer, count);
    if (encode_changes(L, encode, name, 1, 0) != count)
        encode_changed(L);
}

/* Base tables whose changes are no state of the script: it makes them again when it starts, or they
 * are the host's own. */
static int encode_is_skipped(const char *name)
{
    return strcmp(name, "_G") == 0 || strcmp(name, "arg") == 0 || strcmp(name, "ckpt") == 0 ||
           strcmp(name, "package") == 0 || strncmp(name, "package.", 8) == 0;
}

/* [[name, {key: value}], ...] for the libraries that the script has put data into. */
static void encode_libraries(lua_State *L, struct encode *encode)
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
    msgpack_pack_array(&encode->pack->packer, (size_t)changed);
    for (lua_Integer i = 1; i <= changed; i++) {
        lua_rawgeti(L, top + 1, i);
        const char *name = lua_tostring(L, -1);
        msgpack_pack_array(&encode->pack->packer, 2);
        pack_text(encode->pack, name);
        encode_changes_map(L, encode, name, 0);
        lua_pop(L, 1);
    }
    lua_settop(L, top);
}

/* [name, ...] out of the list at index */
static void encode_again_list(lua_State *L, struct encode *encode, int list)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    msgpack_pack_array(&encode->pack->packer, (size_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, list, i);
        encode_name(L, encode, -1);
        lua_pop(L, 1);
    }
}

void encode_globals(lua_State *L, struct pack *pack, const struct encode_options *options)
{
    int top = lua_gettop(L);
    lua_pushglobaltable(L);
    struct encode *encode = encode_start(L, pack, options, top + 1);
    lua_newtable(L);
    int again = lua_gettop(L);
    encode_changes_map(L, encode, "_G", again);
    encode_libraries(L, encode);
    encode_again_list(L, encode, again);
    encode_records(L, encode);
    lua_settop(L, top);
}

void encode_table(lua_State *L, int table, struct pack *pack, const struct encode_options *options)
{
    int top = lua_gettop(L);
    table = lua_absindex(L, table);
    struct encode *encode = encode_start(L, pack, options, table);
    uint32_t left = 0;
    for (lua_pushnil(L); options->walker->next(L, table) != 0; lua_pop(L, 1))
        left++;
    msgpack_pack_map(&pack->packer, left);
    encode_walk(encode, table);
    for (lua_pushnil(L); options->walker->next(L, table) != 0; lua_pop(L, 1)) {
        if (left-- == 0)
            encode_changed(L);
        encode_key(L, encode, lua_gettop(L) - 1);
        encode_value(L, encode, lua_gettop(L));
    }
    if (left != 0)
        encode_changed(L);
    encode_walked(L, encode);
    msgpack_pack_array(&pack->packer, 0);
    msgpack_pack_array(&pack->packer, 0);
    encode_records(L, encode);
    lua_settop(L, top);
}
