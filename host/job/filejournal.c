#include "job/filejournal.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

#include "job/filetable.h"

/* Appends the string on top of the stack to the journal, and has it kept. Pops it. */
static void add_to_journal(lua_State *L)
{
    const struct files_host *host = filetable_get(L)->host;
    filetable_push(L, FILETABLE_JOURNAL);
    lua_insert(L, -2);
    lua_concat(L, 2);
    lua_pushvalue(L, -1);
    filetable_set(L, FILETABLE_JOURNAL);
    if (host->journal != NULL)
        host->journal(host->context, lua_tostring(L, -1), "");
    lua_pop(L, 1);
}

/* Pushes the line. */
static void push_append(lua_State *L, const char *path, int64_t length)
{
    char escaped[2 * PATH_MAX];
    paths_escape(path, escaped);
    lua_pushfstring(L, "append %I %s\n", (LUAI_UACINT)length, escaped);
}

void filejournal_rewrite(lua_State *L, struct file *file)
{
    char escaped[2 * PATH_MAX];
    if (file->rewritten)
        return;
    int own = filetable_begin_own(L);
    paths_escape(file->path, escaped);
    lua_pushfstring(L, "rewrite %s\n", escaped);
    add_to_journal(L);
    filetable_end_own(L, own);
    file->rewritten = true;
}

void filejournal_grow(lua_State *L, struct file *file, int64_t length)
{
    /* One that was removed may be in the last snapshot and not in one that is being written. */
    if ((file->saved >= 0 && file->pushed >= 0) || file->known)
        return;
    int own = filetable_begin_own(L);
    push_append(L, file->path, length);
    add_to_journal(L);
    filetable_end_own(L, own);
    file->known = true;
    if (!file->written && file->before == FILE_UNKNOWN)
        file->before = length;
}

/* Whether path -> length, both on top of the stack, makes sense. */
static bool is_before(lua_State *L)
{
    size_t size;
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isinteger(L, -1) || lua_tointeger(L, -1) < -1)
        return false;
    return strlen(lua_tolstring(L, -2, &size)) == size && size > 0 && size < PATH_MAX;
}

void filejournal_push_before(lua_State *L, int index)
{
    luaL_Buffer text;
    int lines = lua_gettop(L) + 1, before = lines + 1;
    lua_Integer count = 0;
    index = lua_absindex(L, index);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    lua_newtable(L);
    if (!lua_istable(L, index) || lua_getfield(L, index, "before") != LUA_TTABLE) {
        lua_settop(L, lines);
        lua_newtable(L);
    }
    for (lua_pushnil(L); lua_next(L, before); lua_pop(L, 1)) {
        if (!is_before(L))
            continue;
        push_append(L, lua_tostring(L, -2), lua_tointeger(L, -1));
        lua_rawseti(L, lines, ++count);
    }
    luaL_buffinit(L, &text);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, lines, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
    lua_replace(L, lines);
    lua_settop(L, lines);
}

void filejournal_saved(lua_State *L)
{
    struct filetable *table = filetable_get(L);
    filetable_push(L, FILETABLE_JOURNAL);
    size_t size = lua_rawlen(L, -1);
    lua_pushlstring(L, lua_tostring(L, -1), table->kept);
    lua_pushstring(L, lua_tostring(L, -2) + table->kept);
    lua_pushvalue(L, -1);
    filetable_set(L, FILETABLE_JOURNAL);
    table->kept = 0;
    if (size > 0 && table->host->journal != NULL)
        table->host->journal(table->host->context, lua_tostring(L, -1), lua_tostring(L, -2));
    lua_pop(L, 3);
}

/* The number before the first space of a line; moves *line behind it. Returns -2 if it is none. */
static int64_t read_length(const char **line, const char *end)
{
    const char *at = *line, *space = memchr(at, ' ', (size_t)(end - at));
    int64_t length = 0;
    if (space == NULL || space == at || space - at > 18)
        return -2;
    *line = space + 1;
    if (space - at == 2 && memcmp(at, "-1", 2) == 0)
        return -1;
    for (; at < space; at++) {
        if (*at < '0' || *at > '9')
            return -2;
        length = length * 10 + (*at - '0');
    }
    return length;
}

/* table[path] = length, unless it has one: the first is the one that counts. The table is at -1. */
static void take(lua_State *L, const char *line, const char *end, int64_t length)
{
    char path[PATH_MAX];
    if (paths_unescape(line, (size_t)(end - line), path) != 0)
        return;
    if (lua_getfield(L, -1, path) == LUA_TNIL) {
        lua_pushinteger(L, length);
        lua_setfield(L, -3, path);
    }
    lua_pop(L, 1);
}

static void read_line(lua_State *L, const char *line, const char *end)
{
    if (end - line > 8 && memcmp(line, "rewrite ", 8) == 0) {
        lua_insert(L, -2); /* the other table */
        take(L, line + 8, end, 0);
        lua_insert(L, -2);
    } else if (end - line > 7 && memcmp(line, "append ", 7) == 0) {
        line += 7;
        int64_t length = read_length(&line, end);
        if (length >= -1 && line < end)
            take(L, line, end, length);
    }
}

void filejournal_read(lua_State *L, const char *text)
{
    const char *end;
    lua_newtable(L); /* rewritten */
    lua_newtable(L); /* appended to */
    for (; (end = strchr(text, '\n')) != NULL; text = end + 1)
        read_line(L, text, end);
}
