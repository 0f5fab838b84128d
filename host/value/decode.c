#include "value/decode.h"

#include <string.h>

#include <lauxlib.h>

#include "value/decoder.h"
#include "value/late.h"
#include "value/names.h"
#include "value/restore.h"
#include "value/shape.h"

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
static void decode_set_metatables(lua_State *L, struct decoder *decode)
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
static void decode_libraries(lua_State *L, struct decoder *decode, int apply)
{
    uint32_t count = unpack_array(L, decode->unpack, UINT32_MAX);
    for (uint32_t i = 0; i < count; i++) {
        unpack_array(L, decode->unpack, 2);
        decoder_push_text(L, decode);
        if (apply)
            names_push_object(L, lua_tostring(L, -1));
        else
            lua_newtable(L);
        if (lua_type(L, -1) != LUA_TTABLE)
            luaL_error(L,
                       "the snapshot has values of library '%s', which this ckptlua does not "
                       "have",
                       lua_tostring(L, -2));
        int table = lua_gettop(L);
        restore_pairs(L, decode, table, table, unpack_map(L, decode->unpack), 0);
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

/* Reads which table of the base environment a new table is to be: [name, table]. Where tables can
 * be made as they were, it is made beside that one, and they change places; else that one is
 * emptied, and filled again. */
static void decode_base(lua_State *L, struct decoder *decode, int target)
{
    struct unpack_token token;
    unpack_array(L, decode->unpack, 2);
    decoder_push_text(L, decode);
    int name = lua_gettop(L), base = name + 1;
    if (!decode->look)
        names_push_object(L, lua_tostring(L, name));
    else if (strcmp(lua_tostring(L, name), "_G") == 0)
        lua_pushvalue(L, target);
    else
        lua_newtable(L);
    unpack_next(L, decode->unpack, &token);
    if (lua_type(L, base) != LUA_TTABLE || token.type != UNPACK_EXTENSION ||
        token.extension != SHAPE_TABLE)
        unpack_fail(L, decode->unpack, "a table of the base environment that is none");
    decoder_new_table(L, decode, &token, 1);
    lua_pushnil(L);
    lua_setmetatable(L, base);
    if (decode->code != NULL && decode->code->layout != NULL) {
        lua_pushvalue(L, base);
        lua_rawseti(L, decode->bases, decode->tables_known);
    } else {
        decode_clear(L, base);
        lua_pushvalue(L, base);
        lua_rawseti(L, decode->tables, decode->tables_known);
    }
    lua_settop(L, name - 1);
}

/* What the parts of a body are read into; they follow each other on the stack. */
static void decode_start(lua_State *L, struct decoder *decode)
{
    luaL_checkstack(L, 40, NULL);
    int *const lists[] = {&decode->tables,    &decode->shared,  &decode->metatables,
                          &decode->functions, &decode->threads, &decode->bases,
                          &decode->unlaid,    &decode->places};
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
        lua_newtable(L);
        *lists[i] = lua_gettop(L);
    }
}

static void decode_body(lua_State *L, struct unpack *unpack, int target, int apply,
                        const struct code_reader *code)
{
    int top = lua_gettop(L);
    struct decoder decode = {.unpack = unpack, .look = !apply, .code = code};
    target = lua_absindex(L, target);
    luaL_checkstack(L, 32, NULL);
    lua_newtable(L);
    int again = lua_gettop(L);
    decode_start(L, &decode);
    restore_pairs(L, &decode, target, target, unpack_map(L, unpack), 0);
    decode_libraries(L, &decode, apply);
    uint32_t names = unpack_array(L, unpack, UINT32_MAX);
    for (uint32_t i = 1; i <= names; i++) {
        decoder_push_text(L, &decode);
        lua_rawseti(L, again, i);
    }
    restore_tables(L, &decode, 0);
    decode_set_metatables(L, &decode);
    if (code != NULL)
        code->finish(L, code->context, decode.functions, decode.threads);
    lua_settop(L, top + 1);
}

void decode_globals(lua_State *L, struct unpack *unpack, int target, const struct code_reader *code)
{
    decode_body(L, unpack, target, 1, code);
}

/* What records begin with, and what comes at the end: ["layout", "places"], or some of these. */
static void decode_has(lua_State *L, struct decoder *decode)
{
    for (uint32_t left = unpack_array(L, decode->unpack, UINT32_MAX); left > 0; left--) {
        decoder_push_text(L, decode);
        if (strcmp(lua_tostring(L, -1), "layout") == 0)
            decode->has_laid = 1;
        else if (strcmp(lua_tostring(L, -1), "places") == 0)
            decode->has_places = 1;
        else
            unpack_fail(L, decode->unpack, "tables with what is not known here");
        lua_pop(L, 1);
    }
}

/* What is to be looked at are the globals only, which are read into the table at index `globals`.
 */
static void decode_exact_body(lua_State *L, struct unpack *unpack, int roots, int globals,
                              const struct code_reader *code, int idle)
{
    int top = lua_gettop(L);
    struct decoder decode = {.unpack = unpack, .look = code == NULL, .idle = idle, .code = code};
    decode_start(L, &decode);
    lua_newtable(L);
    decode.finalizers = lua_gettop(L);
    restore_pairs(L, &decode, roots, roots, unpack_map(L, unpack), 0);
    for (uint32_t count = unpack_array(L, unpack, UINT32_MAX); count > 0; count--)
        decode_base(L, &decode, globals);
    decode_has(L, &decode);
    restore_tables(L, &decode, 1);
    if (decode.look) {
        lua_pushvalue(L, globals);
        decode_clear_base(L, lua_gettop(L));
    }
    decode_set_metatables(L, &decode);
    lua_pushvalue(L, decode.finalizers);
    lua_setfield(L, roots, "finalizers");
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
