#include "value_support.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lauxlib.h>
#include <lualib.h>

#include "scratch.h"
#include "value/decode.h"
#include "value/late.h"
#include "value/names.h"
#include "value/registry.h"

/* ---------------------------------------------------------------- memory */

static void *value_allocate(void *context, void *block, size_t old, size_t size)
{
    struct memory *memory = context;
    size_t used = memory->used - (block == NULL ? 0 : old) + size;
    if (size == 0) {
        free(block);
        memory->used = used;
        return NULL;
    }
    if (memory->countdown > 0 && (block == NULL || size > old))
        memory->countdown--;
    if ((block == NULL || size > old) &&
        (memory->countdown == 0 || (memory->limit != 0 && used > memory->limit))) {
        memory->failures++;
        return NULL;
    }
    void *made = realloc(block, size);
    if (made != NULL)
        memory->used = used;
    if (memory->used > memory->peak)
        memory->peak = memory->used;
    return made;
}

/* ---------------------------------------------------------------- functions for scripts */

static int value_lua_register(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    int has_saver = !lua_isnoneornil(L, 3);
    registry_add_class(L, name, 2, has_saver ? 3 : 0, has_saver ? 4 : 0);
    late_resolve_class(L, name);
    return 0;
}

static int value_lua_transient(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 2);
    registry_set_transient(L, name);
    lua_pushglobaltable(L);
    lua_pushvalue(L, 2);
    lua_setfield(L, -2, name);
    lua_settop(L, 2);
    lua_pushfstring(L, "transient:%s", name);
    lua_insert(L, 2);
    late_resolve(L, lua_tostring(L, 2));
    return 0;
}

static int value_lua_sweep(lua_State *L)
{
    late_sweep(L);
    return 0;
}

static int value_lua_box(lua_State *L)
{
    luaL_checkstring(L, 1);
    lua_newuserdatauv(L, 1, 1);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, "box");
    return 1;
}

static int value_lua_open_box(lua_State *L)
{
    luaL_checkudata(L, 1, "box");
    lua_getiuservalue(L, 1, 1);
    return 1;
}

static void value_box_save(lua_State *L, int index)
{
    lua_getiuservalue(L, index, 1);
    if (strcmp(lua_tostring(L, -1), "stuck") == 0)
        luaL_error(L, "the lid is stuck");
}

static void value_box_load(lua_State *L, const char *data, size_t size)
{
    lua_pushcfunction(L, value_lua_box);
    lua_pushlstring(L, data, size);
    lua_call(L, 1, 1);
}

static int value_lua_brick(lua_State *L)
{
    lua_newuserdatauv(L, 8, 0);
    luaL_newmetatable(L, "brick");
    lua_setmetatable(L, -2);
    return 1;
}

static int value_lua_pointer(lua_State *L)
{
    lua_pushlightuserdata(L, lua_isnone(L, 1) ? NULL : (void *)(uintptr_t)lua_topointer(L, 1));
    return 1;
}

static int value_lua_same(lua_State *L)
{
    int same = lua_rawequal(L, 1, 2) && lua_type(L, 1) == lua_type(L, 2);
    if (lua_type(L, 1) == LUA_TNUMBER && lua_type(L, 2) == LUA_TNUMBER) {
        lua_Number a = lua_tonumber(L, 1), b = lua_tonumber(L, 2);
        same = lua_isinteger(L, 1) == lua_isinteger(L, 2) &&
               (lua_isinteger(L, 1) ? lua_tointeger(L, 1) == lua_tointeger(L, 2)
                                    : memcmp(&a, &b, sizeof a) == 0);
    }
    lua_pushboolean(L, same);
    return 1;
}

/* A name of its own for each table, by the way on which a walk with sorted keys meets it first. */
static const char value_shape[] =
    "local numbers, count, out, queue = {}, 0, {}, {}\n"
    "local function scalar(v)\n"
    "    local t = math.type(v)\n"
    "    if t == 'integer' then return 'i' .. v end\n"
    "    if t == 'float' then return 'f' .. string.pack('>n', v) end\n"
    "    if type(v) == 'string' then return 's' .. #v .. ':' .. v end\n"
    "    if type(v) == 'boolean' or v == nil then return tostring(v) end\n"
    "end\n"
    "local function name(v)\n"
    "    local s = scalar(v)\n"
    "    if s then return s end\n"
    "    if type(v) == 'userdata' and getmetatable(v) then return 'u' .. open(v) end\n"
    "    if type(v) ~= 'table' then return tostring(v) end\n"
    "    if not numbers[v] then\n"
    "        count = count + 1\n"
    "        numbers[v] = count\n"
    "        queue[#queue + 1] = v\n"
    "    end\n"
    "    return 't' .. numbers[v]\n"
    "end\n"
    "out[1] = name(...)\n"
    "local at = 1\n"
    "while queue[at] do\n"
    "    local t, keys, rest = queue[at], {}, {}\n"
    "    for k in next, t do\n"
    "        local s = scalar(k)\n"
    "        if s then keys[#keys + 1] = {s, k} else rest[#rest + 1] = k end\n"
    "    end\n"
    "    table.sort(keys, function(a, b) return a[1] < b[1] end)\n"
    "    out[#out + 1] = '{'\n"
    "    for _, k in ipairs(keys) do out[#out + 1] = k[1] .. '=' .. name(t[k[2]]) end\n"
    "    -- Tables as keys: told apart by their field id.\n"
    "    table.sort(rest, function(a, b) return rawget(a, 'id') < rawget(b, 'id') end)\n"
    "    for _, k in ipairs(rest) do out[#out + 1] = name(k) .. '=' .. name(t[k]) end\n"
    "    out[#out + 1] = '}' .. name(getmetatable(t))\n"
    "    at = at + 1\n"
    "end\n"
    "return table.concat(out, ' ')\n";

static void value_add_functions(lua_State *L)
{
    static const luaL_Reg functions[] = {{"register", value_lua_register},
                                         {"transient", value_lua_transient},
                                         {"sweep", value_lua_sweep},
                                         {"box", value_lua_box},
                                         {"open", value_lua_open_box},
                                         {"brick", value_lua_brick},
                                         {"pointer", value_lua_pointer},
                                         {"same", value_lua_same},
                                         {NULL, NULL}};
    lua_pushglobaltable(L);
    luaL_setfuncs(L, functions, 0);
    lua_pop(L, 1);
    assert_int_equal(luaL_loadbuffer(L, value_shape, strlen(value_shape), "=shape"), LUA_OK);
    lua_setglobal(L, "shape");
    luaL_newmetatable(L, "box");
    lua_pop(L, 1);
}

/* ---------------------------------------------------------------- states */

static const struct userdata_type value_box = {
    .name = "box", .save = value_box_save, .load = value_box_load};

static lua_State *value_new_state(struct memory *memory)
{
    lua_State *L = memory == NULL ? luaL_newstate() : lua_newstate(value_allocate, memory);
    assert_non_null(L);
    return L;
}

static lua_State *value_prepare(lua_State *L)
{
    value_add_functions(L);
    names_capture(L);
    registry_open(L);
    late_open(L);
    registry_add_type(L, &value_box);
    return L;
}

lua_State *value_open(struct memory *memory)
{
    lua_State *L = value_new_state(memory);
    luaL_openlibs(L);
    return value_prepare(L);
}

lua_State *value_open_harmless(struct memory *memory)
{
    lua_State *L = value_new_state(memory);
    luaL_requiref(L, LUA_GNAME, luaopen_base, 1);
    luaL_requiref(L, LUA_STRLIBNAME, luaopen_string, 1);
    luaL_requiref(L, LUA_TABLIBNAME, luaopen_table, 1);
    luaL_requiref(L, LUA_MATHLIBNAME, luaopen_math, 1);
    lua_settop(L, 0);
    static const char *const harmful[] = {"dofile", "loadfile", "print", "warn"};
    for (size_t i = 0; i < sizeof harmful / sizeof *harmful; i++) {
        lua_pushnil(L);
        lua_setglobal(L, harmful[i]);
    }
    return value_prepare(L);
}

void value_run(lua_State *L, const char *chunk)
{
    /* The first one is job.lua; each has a name of its own, under which its text is kept. */
    lua_getfield(L, LUA_REGISTRYINDEX, "chunks");
    lua_Integer chunks = lua_tointeger(L, -1);
    lua_pushinteger(L, chunks + 1);
    lua_setfield(L, LUA_REGISTRYINDEX, "chunks");
    if (chunks == 0)
        lua_pushliteral(L, "@job.lua");
    else
        lua_pushfstring(L, "@chunk%I.lua", chunks);
    const char *source = lua_tostring(L, -1);
    lua_pushstring(L, chunk);
    lua_setfield(L, LUA_REGISTRYINDEX, source);
    if (luaL_loadbuffer(L, chunk, strlen(chunk), source) != LUA_OK ||
        lua_pcall(L, 0, 0, 0) != LUA_OK)
        fail_msg("%s\nin the chunk:\n%s", lua_tostring(L, -1), chunk);
    lua_pop(L, 2);
}

static void value_push_line(void *context, lua_State *L, const char *source, int line)
{
    (void)context;
    if (*source != '@') {
        lua_pushstring(L, source);
    } else if (lua_getfield(L, LUA_REGISTRYINDEX, source) != LUA_TSTRING) {
        lua_pop(L, 1);
        lua_pushnil(L);
        return;
    }
    const char *at = lua_tostring(L, -1), *end;
    for (; line > 1 && (end = strchr(at, '\n')) != NULL; line--)
        at = end + 1;
    end = strchr(at, '\n');
    lua_pushlstring(L, at, end == NULL ? strlen(at) : (size_t)(end - at));
    lua_remove(L, -2);
}

const struct encode_options value_options = {.walker = &walker_public,
                                             .push_line = value_push_line};

/* ---------------------------------------------------------------- to and from memory */

static int value_write(void *context, const void *data, size_t size)
{
    return bytes_append(context, data, size);
}

struct sink value_sink(struct bytes *to)
{
    return (struct sink){value_write, to};
}

static int64_t value_read(void *context, void *data, size_t size)
{
    struct value_source *from = context;
    size_t part = from->size - from->at;
    if (part > size)
        part = size;
    if (from->step != 0 && part > from->step)
        part = from->step;
    if (part > 0)
        memcpy(data, from->data + from->at, part);
    from->at += part;
    return (int64_t)part;
}

struct source value_source(struct value_source *from)
{
    return (struct source){value_read, from, from->size};
}

/* (bytes or source as light userdata, whether a table, the table or nothing) */
static int value_protected_encode(lua_State *L)
{
    struct sink sink = value_sink(lua_touserdata(L, 1));
    const struct encode_options *options = lua_touserdata(L, 2);
    struct pack *pack = pack_new(L, &sink);
    int top = lua_gettop(L);
    if (lua_toboolean(L, 3))
        encode_table(L, 4, pack, options);
    else
        encode_globals(L, pack, options);
    assert_int_equal(lua_gettop(L), top);
    return 0;
}

int value_encode_by(lua_State *L, const struct encode_options *options, int table,
                    struct bytes *body)
{
    int top = lua_gettop(L);
    lua_gc(L, LUA_GCSTOP);
    lua_pushcfunction(L, value_protected_encode);
    lua_pushlightuserdata(L, body);
    lua_pushlightuserdata(L, (void *)(uintptr_t)options);
    lua_pushboolean(L, table);
    if (table)
        lua_pushvalue(L, top);
    int status = lua_pcall(L, table ? 4 : 3, 0, 0);
    lua_gc(L, LUA_GCRESTART);
    assert_int_equal(lua_gettop(L), top + (status != LUA_OK));
    return status == LUA_OK;
}

int value_encode(lua_State *L, int table, struct bytes *body)
{
    return value_encode_by(L, &value_options, table, body);
}

static int value_protected_decode(lua_State *L)
{
    struct source source = value_source(lua_touserdata(L, 1));
    struct unpack *unpack = unpack_new(L, &source);
    int top = lua_gettop(L);
    if (lua_toboolean(L, 2)) {
        lua_newtable(L);
        decode_table(L, unpack, -1, 0);
        assert_int_equal(lua_gettop(L), top + 1);
    } else {
        lua_pushglobaltable(L);
        decode_globals(L, unpack, -1, NULL);
        assert_int_equal(lua_gettop(L), top + 2);
        assert_int_equal(lua_type(L, -1), LUA_TTABLE);
    }
    return 1;
}

int value_decode(lua_State *L, int table, const void *data, size_t size)
{
    /* Pieces of an odd size, so that tokens lie across the ends of the buffer. */
    struct value_source from = {data, size, 0, size < 100000 ? 7 : 0};
    lua_pushcfunction(L, value_protected_decode);
    lua_pushlightuserdata(L, &from);
    lua_pushboolean(L, table);
    if (lua_pcall(L, 2, 1, 0) != LUA_OK)
        return 0;
    if (!table)
        lua_pop(L, 1);
    return 1;
}

/* ---------------------------------------------------------------- seeds */

uint64_t value_seed(void)
{
    uint64_t seed = scratch_seed();
    return seed + (seed == 0); /* value_random needs another one */
}

uint64_t value_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * UINT64_C(0x2545F4914F6CDD1D);
}
