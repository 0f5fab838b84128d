#include "value/again.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

#include "value/names.h"

struct again {
    int found; /* index of object -> description */
    again_push_line *push_line;
    void *context;
};

/* Whether the key at index is a string that can be part of a description. */
static int again_is_name(lua_State *L, int index, const char *without)
{
    size_t size;
    if (lua_type(L, index) != LUA_TSTRING)
        return 0;
    const char *name = lua_tolstring(L, index, &size);
    return strcspn(name, without) == size;
}

/* found[object at index] = description on top, unless there is one. Pops it. */
static void again_add(lua_State *L, const struct again *again, int object)
{
    object = lua_absindex(L, object);
    lua_pushvalue(L, object);
    if (lua_rawget(L, again->found) == LUA_TNIL) {
        lua_pushvalue(L, object);
        lua_pushvalue(L, -3);
        lua_rawset(L, again->found);
    }
    lua_pop(L, 2);
}

static int again_is_word_part(int byte)
{
    return isalnum(byte) || byte == '_';
}

/* The first place of the word in the text, not as a part of a longer name, or NULL. */
static const char *again_find_word(const char *text, const char *at, const char *word)
{
    size_t length = strlen(word);
    for (; (at = strstr(at, word)) != NULL; at++)
        if ((at == text || !again_is_word_part((unsigned char)at[-1])) &&
            !again_is_word_part((unsigned char)at[length]))
            return at;
    return NULL;
}

int again_has_word(const char *text, const char *word)
{
    return *word != '\0' && again_find_word(text, text, word) != NULL;
}

/* Whether the line has the word as a global's name: not as a field of anything but _G. */
static int again_has_global(const char *line, const char *name)
{
    for (const char *at = line; (at = again_find_word(line, at, name)) != NULL; at++) {
        if (at == line || (at[-1] != '.' && at[-1] != ':'))
            return 1;
        if ((at - line >= 3 && strncmp(at - 3, "_G.", 3) == 0) ||
            (at - line >= 5 && strncmp(at - 5, "_ENV.", 5) == 0))
            return 1;
    }
    return 0;
}

/* Whether the Lua function on top, a field of a base table, begins on a line with its name in it.
 */
static int again_is_defined_as(lua_State *L, const struct again *again, const char *table,
                               const char *name)
{
    lua_Debug debug;
    lua_pushvalue(L, -1);
    lua_getinfo(L, ">S", &debug);
    again->push_line(again->context, L, debug.source, debug.linedefined);
    const char *line = lua_tostring(L, -1);
    int is = line == NULL ||
             (strcmp(table, "_G") == 0 ? again_has_global(line, name) : again_has_word(line, name));
    lua_pop(L, 1);
    return is;
}

/* The functions that the script has put into the base table of that name. */
static void again_collect_base(lua_State *L, const struct again *again, const char *name)
{
    names_push_object(L, name);
    names_push_copy(L, name);
    int table = lua_gettop(L) - 1, copy = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_pop(L, 1)) {
        if (!again_is_name(L, -2, ".:") || lua_rawlen(L, -2) == 0 ||
            lua_type(L, -1) != LUA_TFUNCTION || lua_iscfunction(L, -1) ||
            !names_is_changed(L, copy))
            continue;
        const char *key = lua_tostring(L, -2);
        if (!again_is_defined_as(L, again, name, key))
            continue;
        if (strcmp(name, "_G") == 0)
            lua_pushfstring(L, "function:%s", key);
        else
            lua_pushfstring(L, "function:%s.%s", name, key);
        again_add(L, again, -2);
    }
    lua_settop(L, table - 1);
}

/* The functions in the module whose name is below the value on top. */
static void again_collect_module(lua_State *L, const struct again *again)
{
    int module = lua_gettop(L);
    const char *name = lua_tostring(L, module - 1);
    if (lua_type(L, module) != LUA_TTABLE && lua_type(L, module) != LUA_TFUNCTION)
        return;
    lua_pushfstring(L, "module:%s", name);
    again_add(L, again, module);
    if (lua_type(L, module) != LUA_TTABLE)
        return;
    for (lua_pushnil(L); lua_next(L, module) != 0; lua_pop(L, 1)) {
        if (!again_is_name(L, -2, ":") || lua_type(L, -1) != LUA_TFUNCTION)
            continue;
        lua_pushfstring(L, "function:%s:%s", name, lua_tostring(L, -2));
        again_add(L, again, -2);
    }
}

/* Calls collect(L, again) for each module that has been loaded, its name and value being on top. */
static void again_each_module(lua_State *L, const struct again *again,
                              void (*collect)(lua_State *L, const struct again *again))
{
    int top = lua_gettop(L), loaded = top + 1, copy = top + 2;
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    names_push_copy(L, "package.loaded");
    if (lua_isnil(L, copy)) { /* no package library, and so no modules but the base ones */
        lua_pushvalue(L, loaded);
        lua_replace(L, copy);
    }
    for (lua_pushnil(L); lua_next(L, loaded) != 0; lua_pop(L, 1))
        if (again_is_name(L, -2, "") && names_is_changed(L, copy))
            collect(L, again);
    lua_settop(L, top);
}

void again_collect(lua_State *L, again_push_line *push_line, void *context)
{
    luaL_checkstack(L, 24, NULL);
    lua_newtable(L);
    struct again again = {lua_gettop(L), push_line, context};
    again_each_module(L, &again, again_collect_module);
    names_push_tables(L);
    for (lua_Integer i = 1; lua_rawgeti(L, again.found + 1, i) == LUA_TSTRING; i++) {
        again_collect_base(L, &again, lua_tostring(L, -1));
        lua_pop(L, 1);
    }
    lua_settop(L, again.found);
}

/* The C functions in the module whose name is below the value on top. */
static void again_collect_native_module(lua_State *L, const struct again *again)
{
    int module = lua_gettop(L);
    const char *name = lua_tostring(L, module - 1);
    if (lua_iscfunction(L, module)) {
        lua_pushfstring(L, "module:%s", name);
        again_add(L, again, module);
    }
    if (lua_type(L, module) != LUA_TTABLE)
        return;
    for (lua_pushnil(L); lua_next(L, module) != 0; lua_pop(L, 1)) {
        if (!again_is_name(L, -2, ":") || !lua_iscfunction(L, -1))
            continue;
        lua_pushfstring(L, "function:%s:%s", name, lua_tostring(L, -2));
        again_add(L, again, -2);
    }
}

void again_collect_native(lua_State *L)
{
    luaL_checkstack(L, 24, NULL);
    lua_newtable(L);
    struct again again = {.found = lua_gettop(L)};
    again_each_module(L, &again, again_collect_native_module);
}
