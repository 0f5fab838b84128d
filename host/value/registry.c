#include "value/registry.h"

#include <string.h>

#include <lauxlib.h>

/* registry.tables = {
 *   types = {name -> light userdata struct userdata_type*},
 *   classes = {name -> {metatable, save or false, load or false}},
 *   transients = {name -> {value}},
 *   finder = light userdata struct userdata_finder*, or nil,
 *   all = {object -> description} (weak keys)} */
static const char registry_tables;

static void registry_push(lua_State *L, const char *table)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_tables);
    lua_getfield(L, -1, table);
    lua_remove(L, -2);
}

void registry_open(lua_State *L)
{
    static const char *const tables[] = {"types", "classes", "transients", "all"};
    lua_newtable(L);
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++) {
        lua_newtable(L);
        lua_setfield(L, -2, tables[i]);
    }
    lua_getfield(L, -1, "all");
    lua_newtable(L);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
    lua_pop(L, 1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &registry_tables);
}

void registry_push_all(lua_State *L)
{
    registry_push(L, "all");
}

void registry_add_type(lua_State *L, const struct userdata_type *type)
{
    registry_push(L, "types");
    lua_pushlightuserdata(L, (void *)(uintptr_t)type);
    lua_setfield(L, -2, type->name);
    lua_pop(L, 1);
}

void registry_set_finder(lua_State *L, const struct userdata_finder *finder)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &registry_tables);
    lua_pushlightuserdata(L, (void *)(uintptr_t)finder);
    lua_setfield(L, -2, "finder");
    lua_pop(L, 1);
}

static const struct userdata_type *registry_known_type(lua_State *L, const char *name)
{
    registry_push(L, "types");
    lua_getfield(L, -1, name);
    const struct userdata_type *type = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return type;
}

const struct userdata_type *registry_type(lua_State *L, const char *name)
{
    const struct userdata_type *type = registry_known_type(L, name);
    if (type != NULL)
        return type;
    registry_push(L, "finder");
    const struct userdata_finder *finder = lua_touserdata(L, -1);
    lua_pop(L, 1);
    if (finder == NULL)
        return NULL;
    finder->find(L, name);
    return registry_known_type(L, name);
}

const struct userdata_type *registry_type_of(lua_State *L, int index)
{
    const struct userdata_type *type = NULL;
    if (!lua_getmetatable(L, index))
        return NULL;
    lua_pushliteral(L, "__name");
    if (lua_rawget(L, -2) == LUA_TSTRING) {
        /* The name alone proves nothing: a script can write it into any metatable. */
        luaL_getmetatable(L, lua_tostring(L, -1));
        if (lua_rawequal(L, -1, -3))
            type = registry_known_type(L, lua_tostring(L, -2));
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return type;
}

/* registry.all[value on top] = kind:name */
static void registry_describe(lua_State *L, const char *kind, const char *name)
{
    registry_push_all(L);
    lua_pushvalue(L, -2);
    lua_pushfstring(L, "%s:%s", kind, name);
    lua_rawset(L, -3);
    lua_pop(L, 1);
}

void registry_add_class(lua_State *L, const char *name, int metatable, int save, int load)
{
    metatable = lua_absindex(L, metatable);
    registry_push(L, "classes");
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, metatable);
    lua_rawseti(L, -2, 1);
    if (save != 0) {
        lua_pushvalue(L, save);
        lua_rawseti(L, -2, 2);
        lua_pushvalue(L, load);
        lua_rawseti(L, -2, 3);
    }
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    lua_pushvalue(L, metatable);
    registry_describe(L, "class", name);
    lua_pop(L, 1);
}

void registry_push_classes(lua_State *L)
{
    registry_push(L, "classes");
}

int registry_has_savers(lua_State *L)
{
    int found = 0;
    registry_push(L, "classes");
    lua_pushnil(L);
    while (!found && lua_next(L, -2) != 0) {
        found = lua_rawgeti(L, -1, 2) != LUA_TNIL;
        lua_pop(L, found ? 3 : 2);
    }
    lua_pop(L, 1);
    return found;
}

/* Pushes a part of the class `name`, or nil. */
static void registry_push_part(lua_State *L, const char *name, int part)
{
    registry_push(L, "classes");
    if (lua_getfield(L, -1, name) == LUA_TTABLE)
        lua_rawgeti(L, -1, part);
    else
        lua_pushnil(L);
    lua_replace(L, -3);
    lua_pop(L, 1);
}

int registry_push_saver(lua_State *L, int index)
{
    int top = lua_gettop(L);
    if (!lua_getmetatable(L, index))
        return 0;
    registry_push_all(L);
    lua_pushvalue(L, -2);
    lua_rawget(L, -2);
    const char *description = lua_tostring(L, -1);
    if (description != NULL && strncmp(description, "class:", 6) == 0) {
        const char *name = description + 6;
        registry_push_part(L, name, 2);
        if (!lua_isnil(L, -1)) {
            lua_pushstring(L, name);
            lua_replace(L, top + 1);
            lua_replace(L, top + 2);
            lua_settop(L, top + 2);
            return 1;
        }
    }
    lua_settop(L, top);
    return 0;
}

void registry_push_class(lua_State *L, const char *name)
{
    registry_push_part(L, name, 1);
}

void registry_push_loader(lua_State *L, const char *name)
{
    registry_push_part(L, name, 3);
}

void registry_set_transient(lua_State *L, const char *name)
{
    int type = lua_type(L, -1);
    registry_push(L, "transients");
    lua_createtable(L, 1, 0);
    lua_pushvalue(L, -3);
    lua_rawseti(L, -2, 1);
    lua_setfield(L, -2, name);
    lua_pop(L, 1);
    /* Numbers and strings have no identity that a reference could be told by. */
    if (type == LUA_TTABLE || type == LUA_TFUNCTION || type == LUA_TUSERDATA || type == LUA_TTHREAD)
        registry_describe(L, "transient", name);
}

int registry_is_transient(lua_State *L, const char *name)
{
    registry_push(L, "transients");
    int found = lua_getfield(L, -1, name) != LUA_TNIL;
    lua_pop(L, 2);
    return found;
}

void registry_push_transient(lua_State *L, const char *name)
{
    registry_push(L, "transients");
    if (lua_getfield(L, -1, name) == LUA_TTABLE)
        lua_rawgeti(L, -1, 1);
    else
        lua_pushnil(L);
    lua_replace(L, -3);
    lua_pop(L, 1);
}
