#include "value/names.h"

#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

/* Addresses in the Lua registry. */
static const char names_of_objects, names_objects, names_copies;
static const char names_tables, names_addresses; /* made of these when they are needed, or nil */

/* Objects and tables of the base environment, so that the tables of them need not grow. */
enum { NAMES_OBJECTS = 256, NAMES_TABLES = 32 };

void names_push_all(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_of_objects);
}

static int names_is_object(lua_State *L, int index)
{
    switch (lua_type(L, index)) {
    case LUA_TTABLE:
    case LUA_TFUNCTION:
    case LUA_TUSERDATA:
    case LUA_TTHREAD:
        return 1;
    default:
        return 0;
    }
}

/* Gives the object on top the name at index `name`, and returns 1 if it had none before.
 * registry.names_of_objects[object] = name; registry.names_objects[name] = object */
static int names_give(lua_State *L, int name)
{
    name = lua_absindex(L, name);
    names_push_all(L);
    lua_pushvalue(L, -2);
    int taken = lua_rawget(L, -2) != LUA_TNIL;
    lua_pop(L, 1);
    if (taken) {
        lua_pop(L, 1);
        return 0;
    }
    lua_pushvalue(L, -2);
    lua_pushvalue(L, name);
    lua_rawset(L, -3);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_addresses);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_objects);
    lua_pushvalue(L, name);
    lua_pushvalue(L, -4);
    lua_rawset(L, -3);
    lua_pop(L, 2);
    return 1;
}

void names_add(lua_State *L, const char *name)
{
    lua_pushstring(L, name);
    lua_pushvalue(L, -2);
    names_give(L, -2);
    lua_pop(L, 2);
}

static int names_compare(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Pushes a userdata with the string keys of the table at index, sorted. */
static const char **names_sorted_keys(lua_State *L, int index, size_t *count)
{
    size_t keys = 0;
    index = lua_absindex(L, index);
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        keys += lua_type(L, -2) == LUA_TSTRING;
    const char **sorted = lua_newuserdatauv(L, (keys + 1) * sizeof *sorted, 0);
    *count = 0;
    for (lua_pushnil(L); lua_next(L, index) != 0; lua_pop(L, 1))
        if (lua_type(L, -2) == LUA_TSTRING)
            sorted[(*count)++] = lua_tostring(L, -2);
    qsort(sorted, keys, sizeof *sorted, names_compare);
    return sorted;
}

/* Names the object on top, and appends it to the list at `queue` if it is a table. Pops it. */
static void names_visit(lua_State *L, const char *parent, const char *key, int queue)
{
    if (!names_is_object(L, -1)) {
        lua_pop(L, 1);
        return;
    }
    if (strcmp(parent, "_G") == 0)
        lua_pushstring(L, key);
    else
        lua_pushfstring(L, "%s.%s", parent, key);
    lua_insert(L, -2);
    if (names_give(L, -2) && lua_type(L, -1) == LUA_TTABLE)
        lua_rawseti(L, queue, (lua_Integer)lua_rawlen(L, queue) + 1);
    else
        lua_pop(L, 1);
    lua_pop(L, 1);
}

/* The children of the table on top: its fields, and its metatable last. Returns how many fields
 * have a string as their key. */
static size_t names_visit_children(lua_State *L, int queue)
{
    int table = lua_gettop(L);
    names_push_all(L);
    lua_pushvalue(L, table);
    lua_rawget(L, -2);
    const char *parent = lua_tostring(L, -1);
    size_t count;
    const char **keys = names_sorted_keys(L, table, &count);
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, keys[i]);
        lua_rawget(L, table);
        names_visit(L, parent, keys[i], queue);
    }
    if (lua_getmetatable(L, table))
        names_visit(L, parent, "<metatable>", queue);
    lua_settop(L, table);
    return count;
}

/* registry.names_copies[name] = copy of the table on top, which has that many fields */
static void names_copy(lua_State *L, size_t fields)
{
    int table = lua_gettop(L);
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_copies);
    names_push_all(L);
    lua_pushvalue(L, table);
    lua_rawget(L, -2);
    lua_createtable(L, 0, (int)fields);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -2);
        lua_rawset(L, -5);
    }
    lua_rawset(L, table + 1);
    lua_settop(L, table);
}

/* Pops the value on top; if it is a table, all that can be reached from it is named, and copied. */
static void names_visit_all(lua_State *L, int queue)
{
    lua_Integer at = (lua_Integer)lua_rawlen(L, queue) + 1;
    if (lua_type(L, -1) == LUA_TTABLE)
        lua_rawseti(L, queue, at);
    else
        lua_pop(L, 1);
    for (; lua_rawgeti(L, queue, at) == LUA_TTABLE; at++) {
        names_copy(L, names_visit_children(L, queue));
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Pushes the first result of library[function]('', lax), or nil. */
static void names_push_result(lua_State *L, const char *library, const char *function, int lax)
{
    int top = lua_gettop(L);
    lua_pushglobaltable(L);
    if (lua_getfield(L, -1, library) == LUA_TTABLE) {
        lua_getfield(L, -1, function);
        lua_pushliteral(L, "");
        lua_pushboolean(L, lax);
        if (lua_pcall(L, 2, 1, 0) != LUA_OK)
            lua_pushnil(L);
    } else {
        lua_pushnil(L);
    }
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* The value on top, which no table holds, gets that name if it can have one. Pops it, and names
 * what can be reached from it. */
static void names_add_hidden(lua_State *L, const char *name, int queue)
{
    if (names_is_object(L, -1))
        names_add(L, name);
    names_visit_all(L, queue);
}

static void names_capture_hidden(lua_State *L, int queue)
{
    lua_pushliteral(L, "");
    if (lua_getmetatable(L, -1))
        names_add_hidden(L, "<string metatable>", queue);
    if (luaL_getmetatable(L, LUA_FILEHANDLE) == LUA_TTABLE) {
        lua_getfield(L, -1, "__index");
        names_add_hidden(L, "<file methods>", queue);
        lua_pushvalue(L, -1);
        names_add_hidden(L, "<file metatable>", queue);
    }
    names_push_result(L, LUA_GNAME, "ipairs", 0);
    names_add_hidden(L, "<ipairs iterator>", queue);
    names_push_result(L, LUA_UTF8LIBNAME, "codes", 0);
    names_add_hidden(L, "<utf8.codes iterator>", queue);
    names_push_result(L, LUA_UTF8LIBNAME, "codes", 1);
    names_add_hidden(L, "<utf8.codes lax iterator>", queue);
}

void names_capture(lua_State *L)
{
    luaL_checkstack(L, 20, NULL);
    int top = lua_gettop(L);
    lua_createtable(L, 0, NAMES_OBJECTS);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_of_objects);
    lua_createtable(L, 0, NAMES_OBJECTS);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_objects);
    lua_createtable(L, 0, NAMES_TABLES);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_copies);
    lua_pushnil(L);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_tables);

    lua_createtable(L, NAMES_TABLES, 0);
    lua_pushglobaltable(L);
    names_add(L, "_G");
    names_visit_all(L, top + 1);
    names_capture_hidden(L, top + 1);
    lua_settop(L, top);
}

void names_push_object(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_objects);
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

void names_push_copy(lua_State *L, const char *name)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_copies);
    lua_pushstring(L, name);
    lua_rawget(L, -2);
    lua_remove(L, -2);
}

void names_push_tables(lua_State *L)
{
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_tables) == LUA_TTABLE)
        return;
    lua_rawgetp(L, LUA_REGISTRYINDEX, &names_copies);
    size_t count;
    const char **names = names_sorted_keys(L, -1, &count);
    lua_createtable(L, (int)count, 0);
    for (size_t i = 0; i < count; i++) {
        lua_pushstring(L, names[i]);
        lua_rawseti(L, -2, (lua_Integer)i + 1);
    }
    lua_replace(L, -4);
    lua_pop(L, 2);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &names_tables);
}

const void *names_address(lua_State *L, int index)
{
    const char *address = lua_topointer(L, index);
    return lua_type(L, index) == LUA_TUSERDATA ? address - 1 : address;
}

static int names_free_map(lua_State *L)
{
    idmap_free(lua_touserdata(L, 1));
    return 0;
}

/* Pushes a userdata that holds an empty map. */
static struct idmap *names_new_map(lua_State *L)
{
    struct idmap *map = lua_newuserdatauv(L, sizeof *map, 0);
    *map = (struct idmap){0};
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, names_free_map);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    return map;
}

const struct idmap *names_push_map(lua_State *L)
{
    luaL_checkstack(L, 6, NULL);
    if (lua_rawgetp(L, LUA_REGISTRYINDEX, &names_addresses) == LUA_TNIL) {
        lua_pop(L, 1);
        struct idmap *map = names_new_map(L);
        names_push_all(L);
        for (lua_pushnil(L); lua_next(L, -2) != 0; lua_pop(L, 1))
            if (names_address(L, -2) != NULL && idmap_find(map, names_address(L, -2)) == NULL)
                luaL_error(L, "not enough memory");
        lua_pop(L, 1);
        lua_pushvalue(L, -1);
        lua_rawsetp(L, LUA_REGISTRYINDEX, &names_addresses);
    }
    return lua_touserdata(L, -1);
}

int names_is_changed(lua_State *L, int copy)
{
    copy = lua_absindex(L, copy);
    lua_pushvalue(L, -2);
    lua_rawget(L, copy);
    int same = lua_rawequal(L, -1, -2);
    lua_pop(L, 1);
    return !same;
}
