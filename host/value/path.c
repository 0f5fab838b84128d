#include "value/path.h"

#include <ctype.h>
#include <string.h>

#include <lauxlib.h>

/* Indices on the stack during the search. The way to an object is {object it is in, its key}; in a
 * function or coroutine {that, text, true}. */
struct path {
    int target, skip, more;
    int queue; /* objects, in breadth */
    int ways;  /* object -> way; false for a root */
    lua_Integer length;
    const struct code_writer *code; /* or NULL: tables only */
    lua_Integer depth, at;          /* steps of the way that is told, and the one it is at */
};

/* Of a longer way only so many steps are told at its begin, and at its end. */
enum { PATH_FIRST = 8, PATH_LAST = 12 };

static const char path_metatable[] = "<metatable>";

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
        if (path_is_identifier(key) || key == path_metatable || strcmp(key, path_metatable) == 0)
            lua_pushfstring(L, first ? "%s" : ".%s", key);
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

/* The steps from the last function or coroutine on are the text at `text`; puts what the key on
 * top, a text, calls that one in front of it. Pops the key. */
static void path_put_part(lua_State *L, int text)
{
    if (lua_rawlen(L, text) > 0) {
        lua_pushliteral(L, "field ");
        lua_pushvalue(L, text);
        lua_pushliteral(L, " of ");
        lua_rotate(L, -4, -1);
        lua_concat(L, 4);
    }
    lua_replace(L, text);
}

/* Whether the way to the object on top is one that a path begins with: of a root, or of what is
 * part of a function. */
static int path_is_first(lua_State *L, const struct path *path)
{
    int top = lua_gettop(L), is = 1;
    lua_pushvalue(L, top);
    if (lua_rawget(L, path->ways) == LUA_TTABLE) {
        lua_rawgeti(L, -1, 3);
        lua_rawgeti(L, -2, 2);
        is = lua_toboolean(L, -2) && lua_rawlen(L, -1) > 0;
    }
    lua_settop(L, top);
    return is;
}

/* Puts a step, whose key is on top, in front of the text at `text`, and pops the key. */
static void path_put_step(lua_State *L, struct path *path, int text, int first)
{
    lua_Integer at = path->at++;
    if (path->depth > PATH_FIRST + PATH_LAST && at >= PATH_LAST && at < path->depth - PATH_FIRST) {
        lua_pop(L, 1);
        if (at != PATH_LAST)
            return;
        lua_pushliteral(L, " ... ");
    } else {
        path_push_step(L, first);
    }
    lua_pushvalue(L, text);
    lua_concat(L, 2);
    lua_replace(L, text);
}

/* Puts the way to the object on top, where there is one, in front of the text at `text`. Returns 1
 * with the object it is in instead of it, or 0 where the path is complete. */
static int path_put_way(lua_State *L, struct path *path, int text)
{
    int object = lua_gettop(L);
    lua_pushvalue(L, object);
    if (lua_rawget(L, path->ways) != LUA_TTABLE)
        return 0;
    lua_rawgeti(L, -1, 1);
    lua_rawgeti(L, -2, 3);
    int is_part = lua_toboolean(L, -1);
    lua_pop(L, 1);
    lua_rawgeti(L, -2, 2);
    if (is_part && lua_rawlen(L, -1) > 0) {
        path_put_part(L, text);
        return 0;
    }
    if (is_part) {
        lua_pop(L, 1); /* a part without a name */
    } else {
        lua_pushvalue(L, -2);
        int first = path_is_first(L, path);
        lua_pop(L, 1);
        path_put_step(L, path, text, first);
    }
    lua_replace(L, object);
    lua_settop(L, object);
    return 1;
}

/* The number of steps on the way to the object on top. */
static lua_Integer path_depth(lua_State *L, const struct path *path)
{
    int object = lua_gettop(L) + 1;
    lua_Integer depth = 0;
    lua_pushvalue(L, -1);
    for (;; depth++) {
        lua_pushvalue(L, object);
        if (lua_rawget(L, path->ways) != LUA_TTABLE)
            break;
        lua_rawgeti(L, -1, 1);
        lua_replace(L, object);
        lua_settop(L, object);
    }
    lua_settop(L, object - 1);
    return depth;
}

/* Pushes the path to the object on top, and pops that. */
static void path_push_way(lua_State *L, struct path *path)
{
    luaL_checkstack(L, 12, NULL);
    path->depth = path_depth(L, path);
    path->at = 0;
    lua_pushliteral(L, "");
    lua_insert(L, -2);
    int text = lua_gettop(L) - 1;
    while (path_put_way(L, path, text))
        continue;
    lua_settop(L, text);
    if (lua_rawlen(L, text) == 0) { /* a part of the script itself that has no name */
        lua_pushliteral(L, "a value");
        lua_replace(L, text);
    }
}

/* Whether a value of that type is gone into. */
static int path_is_entered(const struct path *path, int type)
{
    return type == LUA_TTABLE ||
           (path->code != NULL && (type == LUA_TFUNCTION || type == LUA_TTHREAD));
}

/* The object on top was found under the key below it in that at `owner`. */
static void path_note(lua_State *L, struct path *path, int owner, int is_part)
{
    int object = lua_gettop(L);
    lua_createtable(L, 3, 0);
    lua_pushvalue(L, owner);
    lua_rawseti(L, -2, 1);
    lua_pushvalue(L, object - 1);
    lua_rawseti(L, -2, 2);
    lua_pushboolean(L, is_part);
    lua_rawseti(L, -2, 3);
    lua_pushvalue(L, object);
    lua_insert(L, -2);
    lua_rawset(L, path->ways);
}

/* Looks at the value on top, found under the key below it in the object at `owner`. Returns 1 with
 * the path pushed if it is the target; else pops the value. */
static int path_look(lua_State *L, struct path *path, int owner, int is_part)
{
    if (lua_rawequal(L, -1, path->target)) {
        /* A value of no type that is gone into may be a key of `ways` as well. */
        path_note(L, path, owner, is_part);
        path_push_way(L, path);
        return 1;
    }
    if (path_is_entered(path, lua_type(L, -1))) {
        lua_pushvalue(L, -1);
        int known = lua_rawget(L, path->ways) != LUA_TNIL;
        lua_pushvalue(L, -2);
        known |= lua_rawget(L, path->skip) != LUA_TNIL;
        lua_pop(L, 2);
        if (!known) {
            path_note(L, path, owner, is_part);
            lua_pushvalue(L, -1);
            lua_rawseti(L, path->queue, ++path->length);
        }
    }
    lua_pop(L, 1);
    return 0;
}

/* Looks at what the function or coroutine on top refers to; as path_look_into. */
static int path_look_at_parts(lua_State *L, struct path *path)
{
    int owner = lua_gettop(L);
    path->code->parts(L, path->code->context, owner);
    int list = owner + 1;
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i < count; i += 2) {
        lua_rawgeti(L, list, i);
        lua_rawgeti(L, list, i + 1);
        if (path_look(L, path, owner, 1))
            return 1;
        lua_pop(L, 1);
    }
    return 0;
}

/* Pushes what the value on top, under the key below it in the table `more`, is to the script. */
static void path_push_root(lua_State *L)
{
    if (lua_isthread(L, -1))
        lua_pushliteral(L, "the stack of calls");
    else
        lua_pushfstring(L, "ckpt's %s", lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "");
}

/* Looks at the entries of the table on top, which is `more`; as path_look_into. */
static int path_look_at_values(lua_State *L, struct path *path)
{
    int table = lua_gettop(L);
    for (lua_pushnil(L); lua_next(L, table) != 0; lua_settop(L, table + 1)) {
        path_push_root(L);
        lua_pushvalue(L, table + 2);
        if (path_look(L, path, table, 1))
            return 1;
    }
    return 0;
}

/* Looks at all that the object on top refers to. Returns 1 with the path pushed if it is found. */
static int path_look_into(lua_State *L, struct path *path)
{
    int table = lua_gettop(L);
    if (path->code != NULL && lua_type(L, table) != LUA_TTABLE)
        return path_look_at_parts(L, path);
    if (path->more != 0 && lua_rawequal(L, table, path->more))
        return path_look_at_values(L, path);
    for (lua_pushnil(L); lua_next(L, table) != 0;) {
        lua_pushvalue(L, -2);
        lua_pushvalue(L, -3);
        if (path_look(L, path, table, 0)) /* the key itself */
            return 1;
        lua_pop(L, 1);
        if (path_look(L, path, table, 0))
            return 1;
    }
    if (lua_getmetatable(L, table)) {
        lua_pushstring(L, path_metatable);
        lua_insert(L, -2);
        if (path_look(L, path, table, 0))
            return 1;
        lua_pop(L, 1);
    }
    return 0;
}

static void path_add_root(lua_State *L, struct path *path, int root)
{
    lua_pushvalue(L, root);
    lua_pushboolean(L, 0);
    lua_rawset(L, path->ways);
    lua_pushvalue(L, root);
    lua_rawseti(L, path->queue, ++path->length);
}

/* Goes through all in breadth. Returns 1 with the path pushed if it is found. */
static int path_search(lua_State *L, struct path *path, int root)
{
    int top = lua_gettop(L), found = 0;
    lua_newtable(L);
    lua_newtable(L);
    path->queue = top + 1;
    path->ways = top + 2;
    path->length = 0;
    path_add_root(L, path, root);
    if (path->more != 0)
        path_add_root(L, path, path->more);
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

/* Pushes what a table is called that paths begin with. */
static void path_push_root_name(lua_State *L, int root)
{
    lua_pushglobaltable(L);
    int is_globals = lua_rawequal(L, -1, root);
    lua_pop(L, 1);
    if (is_globals)
        lua_pushliteral(L, LUA_GNAME);
    else
        lua_pushliteral(L, "the table");
}

void path_push(lua_State *L, const struct path_places *places, int target)
{
    luaL_checkstack(L, 24, NULL);
    int root = lua_absindex(L, places->root), top = lua_gettop(L);
    struct path path = {.target = lua_absindex(L, target), .skip = lua_absindex(L, places->skip)};
    /* No way leads to these: they are where all begin. */
    if (lua_rawequal(L, path.target, root) ||
        (places->more != 0 && lua_rawequal(L, path.target, places->more))) {
        path_push_root_name(L, path.target);
        return;
    }
    int found = path_search(L, &path, root);
    if (!found) { /* in what the script has put into a library */
        lua_newtable(L);
        path.skip = lua_gettop(L);
        found = path_search(L, &path, root);
    }
    if (!found && places->code != NULL) {
        path.code = places->code;
        path.skip = lua_absindex(L, places->skip);
        path.more = places->more;
        found = path_search(L, &path, root);
    }
    if (!found)
        lua_pushliteral(L, "a value");
    lua_copy(L, -1, top + 1);
    lua_settop(L, top + 1);
}
