#include "value/path.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

/* Indices on the stack during the search. What is gone through are tables, functions and
 * coroutines. The way to one is {the one it is in, its key there}. */
struct path {
    int target, skip;
    int queue; /* these, in breadth */
    int ways;  /* one of these -> way; false for the root */
    lua_Integer length;
};

/* Keys of what has none. That of a local variable says all: where it is tells the way to it. */
static const char path_metatable[] = "<metatable>", path_upvalue[] = "<upvalue ",
                  path_local[] = "local ";

static int path_begins(const char *text, const char *with)
{
    return strncmp(text, with, strlen(with)) == 0;
}

static int path_is_identifier(const char *text)
{
    if (!isalpha((unsigned char)*text) && *text != '_')
        return 0;
    for (; *text != '\0'; text++)
        if (!isalnum((unsigned char)*text) && *text != '_')
            return 0;
    return 1;
}

/* Pushes one step as text: the key is on top, and is popped. */
static void path_push_step(lua_State *L, int first)
{
    if (lua_type(L, -1) == LUA_TSTRING) {
        const char *key = lua_tostring(L, -1);
        if (path_is_identifier(key) || strcmp(key, path_metatable) == 0 ||
            path_begins(key, path_upvalue))
            lua_pushfstring(L, first ? "%s" : ".%s", key);
        else if (path_begins(key, path_local))
            lua_pushstring(L, key);
        else
            lua_pushfstring(L, "[\"%s\"]", key);
    } else if (lua_isnumber(L, -1) || lua_isboolean(L, -1)) {
        lua_pushfstring(L, "[%s]", luaL_tolstring(L, -1, NULL));
        lua_remove(L, -2);
    } else {
        lua_pushfstring(L, "[%s]", luaL_typename(L, -1));
    }
    lua_remove(L, -2);
}

/* Pushes the path to the table on top followed by the text below it. Pops both. */
static void path_push_way(lua_State *L, const struct path *path)
{
    luaL_checkstack(L, 8, NULL);
    int table = lua_gettop(L), text = table - 1;
    for (;;) {
        lua_pushvalue(L, table);
        if (lua_rawget(L, path->ways) != LUA_TTABLE)
            break;
        if (path_begins(lua_tostring(L, text), path_local))
            break;
        lua_rawgeti(L, -1, 1);
        lua_rawgeti(L, -2, 2);
        lua_pushvalue(L, -2);
        int first = lua_rawget(L, path->ways) != LUA_TTABLE;
        lua_pop(L, 1);
        path_push_step(L, first);
        lua_pushvalue(L, text);
        lua_concat(L, 2);
        lua_replace(L, text);
        lua_replace(L, table);
        lua_settop(L, table);
    }
    lua_settop(L, text);
}

/* Looks at the value on top, found under the key below it in the table at `table`. Returns 1 with
 * the path pushed if it is the target; else pops the value. */
static int path_look(lua_State *L, struct path *path, int table)
{
    if (lua_rawequal(L, -1, path->target)) {
        lua_pushvalue(L, table);
        lua_rawget(L, path->ways);
        int first = !lua_istable(L, -1);
        lua_pop(L, 1);
        lua_pushvalue(L, -2);
        path_push_step(L, first);
        lua_pushvalue(L, table);
        path_push_way(L, path);
        return 1;
    }
    int type = lua_type(L, -1);
    if (type == LUA_TTABLE || type == LUA_TTHREAD || type == LUA_TFUNCTION) {
        lua_pushvalue(L, -1);
        int known = lua_rawget(L, path->ways) != LUA_TNIL;
        lua_pushvalue(L, -2);
        known |= lua_rawget(L, path->skip) != LUA_TNIL;
        lua_pop(L, 2);
        if (!known) {
            lua_pushvalue(L, -1);
            lua_createtable(L, 2, 0);
            lua_pushvalue(L, table);
            lua_rawseti(L, -2, 1);
            lua_pushvalue(L, -4);
            lua_rawseti(L, -2, 2);
            lua_rawset(L, path->ways);
            lua_pushvalue(L, -1);
            lua_rawseti(L, path->queue, ++path->length);
        }
    }
    lua_pop(L, 1);
    return 0;
}

/* The same for the upvalues of the function on top. */
static int path_look_at_upvalues(lua_State *L, struct path *path)
{
    const char *name;
    int function = lua_gettop(L);
    for (int i = 1; (name = lua_getupvalue(L, function, i)) != NULL; i++) {
        lua_pushfstring(L, "%s%s>", path_upvalue, name);
        lua_insert(L, -2);
        if (path_look(L, path, function))
            return 1;
        lua_pop(L, 1);
    }
    return 0;
}

/* What is on top of the thread is a variable of that name, or the function itself. */
static int path_look_at_local(lua_State *L, struct path *path, int index, lua_State *thread,
                              const lua_Debug *debug, const char *name)
{
    const char *format = *name == '(' ? "%s%s (%s:%d)" : "%s'%s' (%s:%d)";
    lua_xmove(thread, L, 1);
    lua_pushfstring(L, format, path_local, name, debug->short_src, debug->currentline);
    lua_insert(L, -2);
    if (path_look(L, path, index))
        return 1;
    lua_pop(L, 1);
    return 0;
}

/* And for the local variables of the functions that the coroutine on top has called. It may be
 * one that runs, and stands in a hook: it has room for a value or two. */
static int path_look_at_locals(lua_State *L, struct path *path)
{
    const char *name;
    int index = lua_gettop(L);
    lua_State *thread = lua_tothread(L, index);
    lua_Debug debug;
    for (int level = 0; thread != L && lua_getstack(thread, level, &debug) != 0; level++) {
        lua_getinfo(thread, "Slf", &debug);
        if (path_look_at_local(L, path, index, thread, &debug, "(function)"))
            return 1;
        for (int i = 1; (name = lua_getlocal(thread, &debug, i)) != NULL; i++)
            if (path_look_at_local(L, path, index, thread, &debug, name))
                return 1;
    }
    return 0;
}

/* Looks at all that the value on top refers to. Returns 1 with the path pushed if it is found. */
static int path_look_into(lua_State *L, struct path *path)
{
    int table = lua_gettop(L);
    if (lua_isfunction(L, table))
        return path_look_at_upvalues(L, path);
    if (lua_isthread(L, table))
        return path_look_at_locals(L, path);
    for (lua_pushnil(L); lua_next(L, table) != 0;) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -3);
        if (path_look(L, path, table)) /* the key itself */
            return 1;
        lua_pop(L, 1);
        if (path_look(L, path, table))
            return 1;
    }
    if (lua_getmetatable(L, table)) {
        lua_pushstring(L, path_metatable);
        lua_insert(L, -2);
        if (path_look(L, path, table))
            return 1;
        lua_pop(L, 1);
    }
    return 0;
}

/* Goes through all in breadth. Returns 1 with the path pushed if it is found. */
static int path_search(lua_State *L, struct path *path, int root)
{
    int top = lua_gettop(L), found = 0;
    lua_newtable(L);
    lua_newtable(L);
    path->queue = top + 1;
    path->ways = top + 2;
    path->length = 1;
    lua_pushvalue(L, root);
    lua_pushboolean(L, 0);
    lua_rawset(L, path->ways);
    lua_pushvalue(L, root);
    lua_rawseti(L, path->queue, 1);
    for (lua_Integer at = 1; !found && at <= path->length; at++) {
        lua_rawgeti(L, path->queue, at);
        found = path_look_into(L, path);
        if (!found)
            lua_settop(L, path->ways);
    }
    if (found)
        lua_replace(L, path->queue);
    lua_settop(L, top + found);
    return found;
}

int path_push(lua_State *L, int root, int target, int skip)
{
    luaL_checkstack(L, 24, NULL);
    root = lua_absindex(L, root);
    struct path path = {.target = lua_absindex(L, target), .skip = lua_absindex(L, skip)};
    int found = path_search(L, &path, root);
    if (!found) { /* in what the script has put into a library */
        lua_newtable(L);
        path.skip = lua_gettop(L);
        found = path_search(L, &path, root);
        lua_remove(L, path.skip);
    }
    return found;
}
