#include "value/encoder.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "value/late.h"
#include "value/names.h"
#include "value/path.h"
#include "value/registry.h"
#include "value/shape.h"

static const char encoder_metatable[] = "ckptlua.encode";

void encoder_end(struct encoder *encode)
{
    idmap_free(&encode->map);
    queue_free(&encode->queue);
    bytes_free(&encode->kept.bytes);
    bytes_free(&encode->removed);
    bytes_free(&encode->removed_keys);
}

static int encoder_free(lua_State *L)
{
    encoder_end(lua_touserdata(L, 1));
    return 0;
}

static int encoder_no_memory(lua_State *L)
{
    return luaL_error(L, "not enough memory");
}

/* What has a number keeps its address: a save function may drop objects and collect them. */
static void encoder_hold(lua_State *L, struct encoder *encode, int index)
{
    if (encode->has_savers) {
        lua_pushvalue(L, index);
        lua_rawseti(L, encode->anchor, ++encode->held);
    }
}

struct idmap_entry *encoder_find(lua_State *L, struct encoder *encode, const void *address)
{
    struct idmap_entry *entry = idmap_find(&encode->map, address);
    if (entry == NULL)
        encoder_no_memory(L);
    else if (entry->number == 0 && idmap_has(encode->named, address))
        entry->number = ENCODER_SPECIAL;
    return entry;
}

int encoder_is_known(lua_State *L, struct encoder *encode, int index)
{
    return encoder_find(L, encode, names_address(L, index))->number != 0;
}

/* ---------------------------------------------------------------- refusals */

_Noreturn void encoder_refuse(lua_State *L, const struct encoder *encode, int index)
{
    if (encode->options->nameless)
        lua_error(L);
    index = lua_absindex(L, index);
    struct path_places places = {encode->root, encode->roots, encode->names, encode->options->code};
    path_push(L, &places, index);
    lua_pushliteral(L, ": ");
    lua_rotate(L, -3, 2);
    lua_concat(L, 3);
    lua_error(L);
    __builtin_unreachable();
}

static _Noreturn void encoder_refuse_function(lua_State *L, const struct encoder *encode, int index)
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
    encoder_refuse(L, encode, index);
}

static _Noreturn void encoder_refuse_other(lua_State *L, const struct encoder *encode, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TFUNCTION:
        encoder_refuse_function(L, encode, index);
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
    encoder_refuse(L, encode, index);
}

/* ---------------------------------------------------------------- values */

void encoder_reference(struct encoder *encode, uint64_t number)
{
    int is_table = (number & ((1 << ENCODER_SHIFT) - 1)) == ENCODER_TABLE;
    int8_t type = is_table ? SHAPE_TABLE_REF : SHAPE_SHARED_REF;
    number >>= ENCODER_SHIFT;
    unsigned char data[8];
    if (number <= UINT32_MAX) {
        bytes_put_u32(data, (uint32_t)number);
        pack_extension(encode->pack, type, data, 4);
    } else {
        bytes_put_u64(data, number);
        pack_extension(encode->pack, type, data, 8);
    }
}

void encoder_name(lua_State *L, struct encoder *encode, int index)
{
    size_t size;
    const char *name = lua_tolstring(L, index, &size);
    pack_string(encode->pack, name, size);
}

static uint64_t encoder_next_shared(struct encoder *encode)
{
    return encode->shared++ << ENCODER_SHIFT | ENCODER_SHARED;
}

static void encoder_string(lua_State *L, struct encoder *encode, int index)
{
    size_t size;
    const char *data = lua_tolstring(L, index, &size);
    if (size >= SHAPE_SHARED_STRING) {
        struct idmap_entry *entry = encoder_find(L, encode, data);
        if (entry->number != 0) {
            encoder_reference(encode, entry->number);
            return;
        }
        entry->number = encoder_next_shared(encode);
        encoder_hold(L, encode, index);
    }
    pack_string(encode->pack, data, size);
}

/* Pushes the description of the object at index, other than by a name of the base environment, and
 * returns 1; or returns 0. */
static int encoder_push_other(lua_State *L, const struct encoder *encode, int index)
{
    for (int i = 0; i < encode->sources_count; i++) {
        lua_pushvalue(L, index);
        if (lua_rawget(L, encode->sources[i]) != LUA_TNIL)
            return 1;
        lua_pop(L, 1);
    }
    return 0;
}

/* Pushes the description of the object at index, or nil. */
static void encoder_push_description(lua_State *L, const struct encoder *encode, int index)
{
    index = lua_absindex(L, index);
    if (encoder_push_other(L, encode, index))
        return;
    lua_pushliteral(L, "name:");
    lua_pushvalue(L, index);
    if (lua_rawget(L, encode->names) == LUA_TNIL)
        lua_remove(L, -2);
    else
        lua_concat(L, 2);
}

/* ["name", N], or what is described otherwise */
static void encoder_special(lua_State *L, struct encoder *encode, int index,
                            struct idmap_entry *entry)
{
    if (!encoder_push_other(L, encode, index)) {
        lua_pushvalue(L, index);
        lua_rawget(L, encode->names);
        pack_array(encode->pack, 2);
        pack_text(encode->pack, "name");
        encoder_name(L, encode, -1);
        lua_pop(L, 1);
        entry->number = encoder_next_shared(encode);
        return;
    }
    const char *description = lua_tostring(L, -1), *colon = strchr(description, ':');
    if (late_is_seen(description)) {
        lua_pushlstring(L, description, (size_t)(colon - description));
        lua_pushfstring(L, "a %s (%s) of another program's snapshot cannot be saved again",
                        lua_tostring(L, -1), colon + 1);
        encoder_refuse(L, encode, index);
    }
    pack_array(encode->pack, 2);
    msgpack_pack_str_with_body(&encode->pack->packer, description, (size_t)(colon - description));
    pack_string(encode->pack, colon + 1, strlen(colon + 1));
    lua_pop(L, 1);
    entry->number = encoder_next_shared(encode);
}

static uint64_t encoder_place(lua_State *L, const struct encoder *encode, int index)
{
    const struct code_writer *code = encode->options->code;
    return encode->has_places ? code->place(L, code->context, index) : CODE_NO_PLACE;
}

/* The last element of an array that describes an object, if places are written. */
static void encoder_add_place(lua_State *L, struct encoder *encode, int index)
{
    if (!encode->has_places)
        return;
    uint64_t place = encoder_place(L, encode, index);
    if (place == CODE_NO_PLACE)
        pack_nil(encode->pack);
    else
        pack_integer(encode->pack, (int64_t)place);
}

void encoder_announce(struct encoder *encode, uint32_t sequence, uint32_t others, uint64_t place)
{
    unsigned char data[16];
    bytes_put_u32(data, sequence);
    bytes_put_u32(data + 4, others);
    bytes_put_u64(data + 8, place);
    pack_extension(encode->pack, SHAPE_TABLE, data, place == CODE_NO_PLACE ? 8 : sizeof data);
    encode->tables++;
}

void encoder_begin(struct encoder *encode, uint32_t sequence)
{
    int is_laid = encode->options->layout != NULL;
    pack_array(encode->pack, is_laid ? 3 : 2);
    if (is_laid)
        pack_boolean(encode->pack, 0);
    pack_array(encode->pack, sequence);
}

static void encoder_count(lua_State *L, const struct encoder *encode, int index,
                          struct queue_counts *counts)
{
    struct walker_counts entries;
    if (encode->inside != NULL)
        encode->inside->count(L, index, &entries);
    else
        walker_count(L, encode->options->walker, index, &entries);
    walker_sizes(L, &entries, &counts->sequence, &counts->others);
}

void encoder_table(lua_State *L, struct encoder *encode, int index)
{
    struct queue_counts counts = {.number = encode->tables};
    if (encode->options->layout != NULL)
        encode->options->layout->sizes(L, index, &counts.sequence, &counts.others);
    else
        encoder_count(L, encode, index, &counts);
    encoder_announce(encode, counts.sequence, counts.others, encoder_place(L, encode, index));
    queue_add_table(L, &encode->queue, index, &counts);
    encoder_hold(L, encode, index);
}

static void encoder_new_table(lua_State *L, struct encoder *encode, int index,
                              struct idmap_entry *entry)
{
    entry->number = encode->tables << ENCODER_SHIFT | ENCODER_TABLE;
    encoder_table(L, encode, index);
}

/* What tells whether the entries of the table at index are the same, in the same order, as at
 * another time. */
static uint64_t encoder_keys(lua_State *L, int table)
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

int encoder_changed(lua_State *L)
{
    return luaL_error(L, "a table changed while it was being saved (by a save function?)");
}

void encoder_walk(struct encoder *encode, int table)
{
    encode->walked = table;
    encode->marked = 0;
}

void encoder_walked(lua_State *L, struct encoder *encode)
{
    if (encode->marked && encoder_keys(L, encode->walked) != encode->mark)
        encoder_changed(L);
    encode->walked = 0;
}

/* Calls a save function with the arguments on top, for the object at index, which is of the class
 * `name`, or of none: NULL. */
static void encoder_call_saver(lua_State *L, struct encoder *encode, int index, int arguments,
                               const char *name)
{
    if (encode->walked != 0 && !encode->marked) {
        encode->marked = 1;
        encode->mark = encoder_keys(L, encode->walked);
    }
    encode->savers_called++;
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
    encoder_refuse(L, encode, index);
}

/* What an object is made of, on top, must be there when it is read back. */
static void encoder_check_data(lua_State *L, struct encoder *encode, int index, const char *name)
{
    const char *what = NULL;
    int type = lua_type(L, -1);
    if (registry_push_saver(L, -1)) {
        what = "an object that has a save function itself";
    } else if (type == LUA_TUSERDATA && late_describe_object(L, -1)) {
        what = "an object that is not there yet";
    } else if ((type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA) &&
               encoder_find(L, encode, names_address(L, -1))->number != 0) {
        encoder_push_description(L, encode, -1);
        if (!lua_isnil(L, -1) && strncmp(lua_tostring(L, -1), "name:", 5) != 0)
            what = "a function, module, class or transient value by itself";
        lua_pop(L, 1);
    }
    if (what == NULL)
        return;
    lua_pushfstring(L, "the save function of class '%s' gave %s; put it into a table", name, what);
    encoder_refuse(L, encode, index);
}

/* ["object", class, data], whose last two are on top, for the object of that address. Pops them. */
static void encoder_object_of(lua_State *L, struct encoder *encode, const void *address)
{
    pack_array(encode->pack, 3);
    pack_text(encode->pack, "object");
    encoder_name(L, encode, -2);
    encoder_value(L, encode, lua_gettop(L));
    lua_pop(L, 2);
    encoder_find(L, encode, address)->number = encoder_next_shared(encode);
}

/* The object at index has a class with a saver, whose name and function are on top. Pops both. */
static void encoder_object(lua_State *L, struct encoder *encode, int index, const void *address)
{
    const char *name = lua_tostring(L, -2);
    lua_pushvalue(L, index);
    encoder_call_saver(L, encode, index, 1, name);
    encoder_check_data(L, encode, index, name);
    encoder_hold(L, encode, lua_gettop(L));
    encoder_object_of(L, encode, address);
}

/* (type as light userdata, userdata) */
static int encoder_run_type_saver(lua_State *L)
{
    const struct userdata_type *type = lua_touserdata(L, 1);
    lua_remove(L, 1);
    type->save(L, 1);
    return 1;
}

static uint32_t encoder_count_blocks(lua_State *L, const struct userdata_type *type, int index)
{
    struct userdata_block block;
    int count = 0;
    while (type->save_block != NULL && type->save_block(L, index, count, &block))
        count++;
    return (uint32_t)count;
}

static void encoder_userdata(lua_State *L, struct encoder *encode, int index,
                             struct idmap_entry *entry)
{
    const struct userdata_type *type = registry_type_of(L, index);
    if (type == NULL) {
        encoder_refuse_other(L, encode, index);
        return;
    }
    int top = lua_gettop(L);
    lua_pushcfunction(L, encoder_run_type_saver);
    lua_pushlightuserdata(L, (void *)(uintptr_t)type);
    lua_pushvalue(L, index);
    encoder_call_saver(L, encode, index, 2, NULL);
    size_t size;
    if (lua_type(L, -1) != LUA_TSTRING) {
        lua_pushfstring(L, "the saver of userdata type '%s' gave no string", type->name);
        encoder_refuse(L, encode, index);
    }
    const char *data = lua_tolstring(L, -1, &size);
    const struct code_writer *code = encode->options->code;
    int is_finalized = encode->exact && code != NULL && code->finalized != NULL &&
                       code->finalized(L, code->context, index);
    uint32_t blocks = encoder_count_blocks(L, type, index);
    pack_array(encode->pack, (encode->has_places ? 4 : 3) + blocks);
    pack_text(encode->pack, is_finalized ? "finalized" : "userdata");
    pack_text(encode->pack, type->name);
    pack_string(encode->pack, data, size);
    encoder_add_place(L, encode, index);
    struct userdata_block block;
    for (uint32_t i = 0; i < blocks && type->save_block(L, index, (int)i, &block); i++)
        pack_block(encode->pack, block.data, block.size, block.width);
    lua_settop(L, top);
    entry->number = encoder_next_shared(encode);
}

/* A stand-in of an object whose class has not been registered in this run goes out as it came. */
static int encoder_waiting_object(lua_State *L, struct encoder *encode, int index,
                                  const void *address)
{
    if (!late_describe_object(L, index))
        return 0;
    encoder_object_of(L, encode, address);
    return 1;
}

/* ---------------------------------------------------------------- functions and coroutines */

/* ["chunk", name, text], or a reference to one. */
static void encoder_chunk(lua_State *L, struct encoder *encode, const void *chunk)
{
    struct idmap_entry *entry = encoder_find(L, encode, chunk);
    if (entry->number != 0) {
        encoder_reference(encode, entry->number);
        return;
    }
    encode->options->code->chunk(L, encode->options->code->context, chunk);
    pack_array(encode->pack, 3);
    pack_text(encode->pack, "chunk");
    encoder_name(L, encode, -2);
    if (lua_isnil(L, -1))
        pack_nil(encode->pack);
    else
        encoder_name(L, encode, -1);
    lua_pop(L, 2);
    encoder_find(L, encode, chunk)->number = encoder_next_shared(encode);
}

void encoder_piece(lua_State *L, struct encoder *encode, const struct code_piece *piece)
{
    encoder_announce(encode, piece->sequence, piece->others, CODE_NO_PLACE);
    queue_add_piece(L, &encode->queue, piece);
}

void encoder_add(lua_State *L, struct encoder *encode, const struct code_piece *piece)
{
    queue_add_piece(L, &encode->queue, piece);
}

void encoder_piece_of(lua_State *L, struct encoder *encode, const void *address,
                      const struct code_piece *piece)
{
    struct idmap_entry *entry = encoder_find(L, encode, address);
    if (entry->number != 0) {
        encoder_reference(encode, entry->number);
    } else {
        entry->number = encode->tables << ENCODER_SHIFT | ENCODER_TABLE;
        encoder_piece(L, encode, piece);
    }
}

void encoder_table_of(lua_State *L, struct encoder *encode, const void *address)
{
    struct idmap_entry *entry = encoder_find(L, encode, address);
    if (entry->number != 0)
        encoder_reference(encode, entry->number);
    else
        encoder_new_table(L, encode, lua_gettop(L), entry);
    lua_pop(L, 1);
}

void encoder_keep(lua_State *L, struct encoder *encode, uint32_t one, uint32_t other)
{
    uint32_t numbers[2] = {one, other};
    if (queue_put(&encode->kept, numbers, sizeof numbers) != 0)
        encoder_no_memory(L);
}

void encoder_take(struct encoder *encode, uint32_t *one, uint32_t *other)
{
    uint32_t numbers[2] = {0};
    queue_get(&encode->kept, numbers, sizeof numbers);
    *one = numbers[0];
    *other = numbers[1];
}

/* Calls what takes the value at index apart. An error of it is a refusal of that value. */
struct encoder_part {
    struct encoder *encode;
    const struct code_writer *code;
    struct code_place place;
    struct code_piece piece;
    int count;
    int kind; /* LUA_TFUNCTION, LUA_TTHREAD, or LUA_TNONE for what was made by a library */
};

/* (struct encoder_part *, value) */
static int encoder_take_apart(lua_State *L)
{
    struct encoder_part *part = lua_touserdata(L, 1);
    const struct code_writer *code = part->code;
    if (part->kind == LUA_TFUNCTION)
        code->function(L, code->context, 2, &part->place, &part->piece);
    else if (part->kind == LUA_TTHREAD)
        code->thread(L, code->context, part->encode, 2, &part->piece);
    else
        part->count = code->made(L, code->context, 2);
    return part->kind != LUA_TNONE || part->count < 0 ? 0 : part->count + 1;
}

static void encoder_part(lua_State *L, struct encoder *encode, int index, struct encoder_part *part)
{
    part->encode = encode;
    part->code = encode->options->code;
    lua_pushcfunction(L, encoder_take_apart);
    lua_pushlightuserdata(L, part);
    lua_pushvalue(L, index);
    int status = lua_pcall(L, 2, LUA_MULTRET, 0);
    if (status == LUA_ERRMEM)
        lua_error(L);
    if (status != LUA_OK && encode->exact)
        encoder_refuse(L, encode, index);
    if (status != LUA_OK)
        encoder_refuse_other(L, encode, index);
    luaL_checkstack(L, 12, NULL);
}

/* ["closure", chunk, number, upvalues], and its place */
static void encoder_closure(lua_State *L, struct encoder *encode, int index, const void *address)
{
    struct encoder_part part = {.kind = LUA_TFUNCTION};
    encoder_part(L, encode, index, &part);
    pack_array(encode->pack, encode->has_places ? 5 : 4);
    pack_text(encode->pack, "closure");
    encoder_chunk(L, encode, part.place.chunk);
    pack_integer(encode->pack, part.place.number);
    encoder_piece(L, encode, &part.piece);
    encoder_add_place(L, encode, index);
    encoder_hold(L, encode, index);
    encoder_find(L, encode, address)->number = encoder_next_shared(encode);
}

/* ["thread", description], and its place */
static void encoder_thread(lua_State *L, struct encoder *encode, int index, const void *address)
{
    struct encoder_part part = {.kind = LUA_TTHREAD};
    encoder_part(L, encode, index, &part);
    pack_array(encode->pack, encode->has_places ? 3 : 2);
    pack_text(encode->pack, "thread");
    encoder_piece(L, encode, &part.piece);
    encoder_add_place(L, encode, index);
    encoder_hold(L, encode, index);
    encoder_find(L, encode, address)->number = encoder_next_shared(encode);
}

/* ["made", kind, value, ...] */
static void encoder_made(lua_State *L, struct encoder *encode, int index, const void *address)
{
    struct encoder_part part = {.kind = LUA_TNONE};
    int top = lua_gettop(L);
    encoder_part(L, encode, index, &part);
    if (part.count < 0)
        encoder_refuse_other(L, encode, index);
    pack_array(encode->pack, (uint32_t)part.count + 2);
    pack_text(encode->pack, "made");
    encoder_name(L, encode, top + 1);
    for (int i = 2; i <= part.count + 1; i++)
        encoder_value(L, encode, top + i);
    lua_settop(L, top);
    encoder_find(L, encode, address)->number = encoder_next_shared(encode);
}

static void encoder_code(lua_State *L, struct encoder *encode, int index, int type,
                         const void *address)
{
    if (encode->options->code == NULL || (type == LUA_TTHREAD && !encode->exact))
        encoder_refuse_other(L, encode, index);
    luaL_checkstack(L, 12, NULL);
    if (type == LUA_TTHREAD)
        encoder_thread(L, encode, index, address);
    else if (lua_iscfunction(L, index))
        encoder_made(L, encode, index, address);
    else
        encoder_closure(L, encode, index, address);
}

/* A null pointer has no identity, and so none in the map; it is ["name", "<null>"] each time. */
static int encoder_null(lua_State *L, struct encoder *encode)
{
    lua_pushlightuserdata(L, NULL);
    int known = lua_rawget(L, encode->names) == LUA_TSTRING;
    if (known) {
        pack_array(encode->pack, 2);
        pack_text(encode->pack, "name");
        encoder_name(L, encode, -1);
        encoder_next_shared(encode);
    }
    lua_pop(L, 1);
    return known;
}

/* Anything that is neither a number nor a string nor nil or a boolean. */
static void encoder_identity(lua_State *L, struct encoder *encode, int index, int type)
{
    const void *address = names_address(L, index);
    if (type == LUA_TLIGHTUSERDATA && address == NULL && encoder_null(L, encode))
        return;
    if (type == LUA_TLIGHTUSERDATA) /* its address may be that of an object */
        encoder_refuse_other(L, encode, index);
    struct idmap_entry *entry = encoder_find(L, encode, address);
    uint64_t number = entry->number;
    if (number == 0) {
        if ((type == LUA_TTABLE || type == LUA_TUSERDATA) && registry_push_saver(L, index))
            encoder_object(L, encode, index, address);
        else if (type == LUA_TTABLE)
            encoder_new_table(L, encode, index, entry);
        else if (type != LUA_TUSERDATA)
            encoder_code(L, encode, index, type, address);
        else if (!encoder_waiting_object(L, encode, index, address))
            encoder_userdata(L, encode, index, entry);
    } else if (number == ENCODER_SPECIAL) {
        encoder_special(L, encode, index, entry);
    } else {
        encoder_reference(encode, number);
    }
}

void encoder_typed(lua_State *L, struct encoder *encode, int index, int type)
{
    switch (type) {
    case LUA_TNIL:
        pack_nil(encode->pack);
        break;
    case LUA_TBOOLEAN:
        pack_boolean(encode->pack, lua_toboolean(L, index));
        break;
    case LUA_TNUMBER:
        if (lua_isinteger(L, index))
            pack_integer(encode->pack, lua_tointeger(L, index));
        else
            pack_float(encode->pack, lua_tonumber(L, index));
        break;
    case LUA_TSTRING:
        encoder_string(L, encode, index);
        break;
    default:
        encoder_identity(L, encode, index, type);
    }
}

void encoder_value(lua_State *L, struct encoder *encode, int index)
{
    encoder_typed(L, encode, index, lua_type(L, index));
}

/* A reference to it would be found again, but not the place of a key. */
static _Noreturn void encoder_refuse_key(lua_State *L, const struct encoder *encode,
                                         const char *transient)
{
    lua_pushfstring(L, "the transient value '%s' is a key here, and cannot be saved as one",
                    transient);
    encoder_refuse(L, encode, encode->walked);
}

void encoder_key(lua_State *L, struct encoder *encode, int index)
{
    int type = lua_type(L, index);
    if ((type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA) &&
        encoder_find(L, encode, names_address(L, index))->number != 0) {
        encoder_push_description(L, encode, index);
        const char *description = lua_tostring(L, -1);
        if (description != NULL && strncmp(description, "transient:", 10) == 0)
            encoder_refuse_key(L, encode, description + 10);
        lua_pop(L, 1);
    }
    encoder_typed(L, encode, index, type);
}

void encoder_check_sink(lua_State *L, const struct encoder *encode)
{
    if (encode->pack->status != 0)
        luaL_error(L, "writing failed");
}

/* ---------------------------------------------------------------- the start */

/* Enters all keys of the table on top into the map, as objects with a description. */
static int encoder_add_special(lua_State *L, struct encoder *encode)
{
    int count = 0;
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1)) {
        encoder_hold(L, encode, lua_gettop(L) - 1);
        encoder_find(L, encode, names_address(L, -2))->number = ENCODER_SPECIAL;
        count++;
    }
    if (count > 0)
        encode->sources[encode->sources_count++] = lua_gettop(L);
    return lua_gettop(L);
}

/* Of what is registered, only transient values are no state of an exact job: classes are. */
static void encoder_push_transients(lua_State *L)
{
    lua_newtable(L);
    registry_push_all(L);
    for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
        if (strncmp(lua_tostring(L, -1), "transient:", 10) == 0) {
            lua_pushvalue(L, -2);
            lua_pushvalue(L, -2);
            lua_rawset(L, -6);
        }
    lua_pop(L, 1);
}

struct encoder *encoder_start(lua_State *L, struct pack *pack, const struct encode_options *options,
                              int root, int exact)
{
    luaL_checkstack(L, 48, NULL);
    struct encoder *encode = lua_newuserdatauv(L, sizeof *encode, 0);
    *encode = (struct encoder){.pack = pack, .options = options, .root = root, .exact = exact};
    encode->inside = options->inside != NULL ? options->inside : options->layout;
    encode->has_places = exact && options->code != NULL && options->code->place != NULL;
    encode->has_savers = registry_has_savers(L);
    luaL_newmetatable(L, encoder_metatable);
    lua_pushcfunction(L, encoder_free);
    lua_setfield(L, -2, "__gc"); /* always: the first time may have run out of memory here */
    lua_setmetatable(L, -2);
    queue_open(L, &encode->queue);
    lua_newtable(L);
    encode->anchor = lua_gettop(L);
    lua_newtable(L);
    encode->removed_tables = lua_gettop(L);
    names_push_all(L);
    encode->names = lua_gettop(L);
    encode->named = names_push_map(L);
    late_push_all(L);
    encoder_add_special(L, encode);
    if (exact)
        encoder_push_transients(L);
    else
        registry_push_all(L);
    encode->registry = encoder_add_special(L, encode);
    if (exact)
        again_collect_native(L);
    else
        again_collect(L, options->push_line, options->context);
    encode->again = encoder_add_special(L, encode);
    return encode;
}
