#include "exact/loading.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>
#include <lualib.h>

#include "exact/points.h"
#include "exact/strings.h"

/* Upvalue 1 of all functions here is the host's data, upvalue 2 the stock function. */
static struct exact *loading_exact(lua_State *L)
{
    return lua_touserdata(L, lua_upvalueindex(1));
}

static int loading_stock(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(2))(L);
}

/* ---------------------------------------------------------------- whose it is */

int loading_begin(lua_State *L, const struct exact *exact)
{
    if (exact->collections.on)
        strings_forget(L); /* the name */
    return exact_own(exact, ZONE_HOSTS_BLOCKS);
}

void loading_end(const struct exact *exact, int before, size_t size)
{
    exact_own(exact, before);
    if (exact->zone != NULL)
        zone_charge(exact->zone, ZONE_COUNTED, size);
}

void loading_add(lua_State *L, struct exact *exact, const char *name, const char *text, size_t size)
{
    int own = exact_own(exact, ZONE_HOSTS);
    code_add(L, &exact->code, name, text, size);
    exact_own(exact, own);
}

/* The text at index `text` has been compiled to the function on top, as the chunk `name`. */
static void loading_keep(lua_State *L, int text, const char *name)
{
    size_t size;
    const char *source = lua_tolstring(L, text, &size);
    if (loading_exact(L)->keeps_texts == EXACT_ALL_TEXTS &&
        (size == 0 || *source != *LUA_SIGNATURE))
        loading_add(L, loading_exact(L), name, source, size);
}

/* ---------------------------------------------------------------- load */

/* Where loading_from_function keeps the piece that the reader has given, and all of them. */
enum { LOADING_PIECE = 5, LOADING_PIECES = 6 };

/* A lua_Reader: calls the function at 1 (generic_reader of lbaselib.c). */
static const char *loading_reader(lua_State *L, void *context, size_t *size)
{
    luaL_checkstack(L, 3, "too many nested functions");
    lua_pushvalue(L, 1);
    int own = exact_own(context, ZONE_SCRIPTS);
    lua_call(L, 0, 1);
    exact_own(context, own);
    if (lua_isnil(L, -1)) {
        lua_pop(L, 1);
        *size = 0;
        return NULL;
    }
    if (!lua_isstring(L, -1))
        luaL_error(L, "reader function must return a string");
    lua_replace(L, LOADING_PIECE);
    const char *piece = lua_tolstring(L, LOADING_PIECE, size);
    lua_pushvalue(L, LOADING_PIECE);
    lua_rawseti(L, LOADING_PIECES, (lua_Integer)lua_rawlen(L, LOADING_PIECES) + 1);
    return piece;
}

/* Pushes all pieces as one text. */
static void loading_join(lua_State *L)
{
    luaL_Buffer text;
    lua_Integer count = (lua_Integer)lua_rawlen(L, LOADING_PIECES);
    luaL_buffinit(L, &text);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, LOADING_PIECES, i);
        luaL_addvalue(&text);
    }
    luaL_pushresult(&text);
}

/* load(function, ...) */
static int loading_from_function(lua_State *L)
{
    const char *mode = luaL_optstring(L, 3, "bt"), *name = luaL_optstring(L, 2, "=(load)");
    int env = lua_isnone(L, 4) ? 0 : 4;
    luaL_checktype(L, 1, LUA_TFUNCTION);
    lua_settop(L, LOADING_PIECE);
    lua_newtable(L);
    struct exact *exact = loading_exact(L);
    int own = loading_begin(L, exact);
    if (lua_load(L, loading_reader, exact, name, mode) != LUA_OK) {
        loading_end(exact, own, 0);
        luaL_pushfail(L);
        lua_insert(L, -2);
        return 2;
    }
    loading_join(L);
    lua_insert(L, -2);
    loading_end(exact, own, (size_t)lua_rawlen(L, -2));
    loading_keep(L, lua_gettop(L) - 1, name);
    if (env != 0) {
        lua_pushvalue(L, env);
        if (lua_setupvalue(L, -2, 1) == NULL)
            lua_pop(L, 1);
    }
    return 1;
}

/* load(chunk [, name [, mode [, env]]]) */
static int loading_load(lua_State *L)
{
    if (!lua_isstring(L, 1))
        return loading_from_function(L);
    size_t size;
    const char *text = lua_tolstring(L, 1, &size), *name = luaL_optstring(L, 2, text);
    luaL_optstring(L, 3, NULL); /* what the stock one could fail for */
    int own = loading_begin(L, loading_exact(L));
    int count = loading_stock(L);
    loading_end(loading_exact(L), own, size);
    if (count == 1 && lua_isfunction(L, -1))
        loading_keep(L, 1, name);
    return count;
}

/* ---------------------------------------------------------------- files */

/* Bytes that a file may have before the text that is compiled (loading_skip). */
enum { LOADING_BEFORE = 64 * 1024 };

/* Pushes what is in the file, and returns 1; or returns 0. Nothing much behind `most` bytes is
 * read.
 */
static int loading_read(lua_State *L, const char *path, size_t most)
{
    luaL_Buffer text;
    size_t size = 0;
    luaL_buffinit(L, &text);
    FILE *file = fopen(path, "rbe");
    if (file == NULL) {
        luaL_pushresult(&text);
        lua_pop(L, 1);
        return 0;
    }
    size_t got;
    char block[4096];
    while (size <= most && (got = fread(block, 1, sizeof block, file)) > 0) {
        luaL_addlstring(&text, block, got);
        size += got;
    }
    int failed = ferror(file);
    fclose(file);
    luaL_pushresult(&text);
    if (failed)
        lua_pop(L, 1);
    return !failed;
}

const char *loading_skip(const char *text, size_t *size)
{
    const char *end = text + *size;
    if (*size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    if (text < end && *text == '#') {
        const char *line = memchr(text, '\n', (size_t)(end - text));
        text = line == NULL ? end : line;
    }
    *size = (size_t)(end - text);
    return text;
}

/* Pushes what is in the file, and returns its text; or NULL with nothing pushed. */
static const char *loading_push_file(lua_State *L, const char *path, size_t most, size_t *size)
{
    if (!loading_read(L, path, most))
        return NULL;
    const char *text = lua_tolstring(L, -1, size);
    return loading_skip(text, size);
}

const char *loading_push_known(lua_State *L, const char *name, size_t was, size_t *size)
{
    struct stat info;
    if (*name != '@' || stat(name + 1, &info) != 0 || !S_ISREG(info.st_mode))
        return NULL;
    return loading_push_file(L, name + 1, was, size);
}

void loading_check(lua_State *L, const char *name, const char *text, size_t size)
{
    size_t now_size, at = 0;
    int line = 1;
    const char *now = loading_push_known(L, name, size + LOADING_BEFORE, &now_size);
    if (now == NULL)
        return;
    for (; at < size && at < now_size && text[at] == now[at]; at++)
        line += text[at] == '\n';
    if (at < size || at < now_size)
        luaL_error(
            L,
            "%s has changed since the snapshot was saved (first difference: line %d); put it "
            "back, or continue with --resume globals, or start over with --fresh",
            name + 1, line);
    lua_pop(L, 1);
}

/* As luaL_loadfilex, with the same messages. The text is kept if `from` or more texts are. */
static int loading_load_file(lua_State *L, struct exact *exact, const char *path, const char *mode,
                             enum exact_texts from)
{
    size_t size;
    const char *text = path == NULL ? NULL : loading_push_file(L, path, SIZE_MAX, &size);
    int own = loading_begin(L, exact), status;
    if (text == NULL) {
        status = luaL_loadfilex(L, path, mode); /* stdin, or what fails */
        loading_end(exact, own, 0);
        return status;
    }
    const char *name = lua_pushfstring(L, "@%s", path);
    status = luaL_loadbufferx(L, text, size, name, mode);
    loading_end(exact, own, size);
    if (status == LUA_OK && exact->keeps_texts >= from && (size == 0 || *text != *LUA_SIGNATURE))
        loading_add(L, exact, name, text, size);
    lua_replace(L, -3);
    lua_pop(L, 1);
    return status;
}

/* loadfile([path [, mode [, env]]]) */
static int loading_loadfile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL), *mode = luaL_optstring(L, 2, NULL);
    int env = lua_isnone(L, 3) ? 0 : 3;
    if (loading_load_file(L, loading_exact(L), path, mode, EXACT_ALL_TEXTS) != LUA_OK) {
        luaL_pushfail(L);
        lua_insert(L, -2);
        return 2;
    }
    if (env != 0) {
        lua_pushvalue(L, env);
        if (lua_setupvalue(L, -2, 1) == NULL)
            lua_pop(L, 1);
    }
    return 1;
}

static int loading_dofile_done(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    return lua_gettop(L) - 1;
}

/* dofile([path]) */
static int loading_dofile(lua_State *L)
{
    const char *path = luaL_optstring(L, 1, NULL);
    lua_settop(L, 1);
    if (loading_load_file(L, loading_exact(L), path, NULL, EXACT_ALL_TEXTS) != LUA_OK)
        return lua_error(L);
    lua_callk(L, 0, LUA_MULTRET, 0, loading_dofile_done);
    return loading_dofile_done(L, LUA_OK, 0);
}

/* ---------------------------------------------------------------- modules */

/* package.searchers[2](name) -> loader, path, or a message */
static int loading_search(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, LUA_LOADLIBNAME) != LUA_TTABLE)
        return luaL_error(L, "the table 'package' is gone");
    lua_getfield(L, -1, "path");
    if (lua_tostring(L, -1) == NULL)
        return luaL_error(L, "'package.path' must be a string");
    lua_pushvalue(L, lua_upvalueindex(2)); /* the stock package.searchpath */
    lua_pushvalue(L, 1);
    lua_pushvalue(L, -3);
    lua_call(L, 2, 2);
    if (lua_isnil(L, -2))
        return 1; /* what was tried */
    lua_pop(L, 1);
    const char *file = lua_tostring(L, -1);
    if (loading_load_file(L, loading_exact(L), file, NULL, EXACT_TEXTS_OF_MODULES) != LUA_OK)
        return luaL_error(L, "error loading module '%s' from file '%s':\n\t%s", name, file,
                          lua_tostring(L, -1));
    lua_pushvalue(L, -2);
    return 2;
}

/* Pushes loader and loader data of the module at 1 (findloader of loadlib.c). */
static void loading_find(lua_State *L, const char *name)
{
    luaL_Buffer message;
    lua_getfield(L, 2, LUA_LOADLIBNAME);
    if (lua_type(L, -1) != LUA_TTABLE || lua_getfield(L, -1, "searchers") != LUA_TTABLE)
        luaL_error(L, "'package.searchers' must be a table");
    lua_replace(L, 3);
    lua_settop(L, 3);
    luaL_buffinit(L, &message);
    for (int i = 1;; i++) {
        luaL_addstring(&message, "\n\t");
        if (lua_rawgeti(L, 3, i) == LUA_TNIL) {
            lua_pop(L, 1);
            luaL_buffsub(&message, 2);
            luaL_pushresult(&message);
            luaL_error(L, "module '%s' not found:%s", name, lua_tostring(L, -1));
        }
        lua_pushstring(L, name);
        lua_call(L, 1, 2);
        if (lua_isfunction(L, -2))
            return;
        if (lua_isstring(L, -2)) {
            lua_pop(L, 1);
            luaL_addvalue(&message);
        } else {
            lua_pop(L, 2);
            luaL_buffsub(&message, 2);
        }
    }
}

/* The loader of the module has returned; the stack is name, package.loaded, loader data, result. */
static int loading_required(lua_State *L, int status, lua_KContext context)
{
    (void)status;
    (void)context;
    const char *name = luaL_checkstring(L, 1);
    luaL_checktype(L, 2, LUA_TTABLE);
    lua_settop(L, 4);
    if (!lua_isnil(L, -1))
        lua_setfield(L, 2, name);
    else
        lua_pop(L, 1);
    if (lua_getfield(L, 2, name) == LUA_TNIL) {
        lua_pushboolean(L, 1);
        lua_copy(L, -1, -2);
        lua_setfield(L, 2, name);
    }
    lua_rotate(L, -2, 1);
    return 2;
}

/* require(name) */
static int loading_require(lua_State *L)
{
    const char *name = luaL_checkstring(L, 1);
    lua_settop(L, 1);
    lua_getfield(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, 2, name);
    if (lua_toboolean(L, -1))
        return 1;
    loading_find(L, name);
    int loader = lua_gettop(L) - 1;
    lua_replace(L, 3); /* the loader's data */
    lua_pushvalue(L, loader);
    lua_replace(L, 4);
    lua_settop(L, 4);
    lua_pushvalue(L, 1);
    lua_pushvalue(L, 3);
    lua_callk(L, 2, 1, 0, loading_required);
    return loading_required(L, LUA_OK, 0);
}

/* table[name] = function, for the table on top; its upvalue 2 is what was there. */
static void loading_replace(lua_State *L, struct exact *exact, const char *name,
                            lua_CFunction function)
{
    lua_pushlightuserdata(L, exact);
    lua_getfield(L, -2, name);
    lua_pushcclosure(L, function, 2);
    lua_setfield(L, -2, name);
}

/* Pushes the module, which one of the searchers in the table at `natives` finds. */
static void loading_load_native(lua_State *L, int natives, const char *module)
{
    int top = lua_gettop(L);
    for (lua_Integer i = 1; lua_rawgeti(L, natives, i) == LUA_TFUNCTION; i++) {
        lua_pushstring(L, module);
        lua_call(L, 1, 2); /* loader and its data, or why there is none */
        if (!lua_isfunction(L, top + 1)) {
            lua_settop(L, top);
            continue;
        }
        lua_pushstring(L, module);
        lua_insert(L, top + 2);
        lua_call(L, 2, 1);
        return;
    }
    luaL_error(L,
               "module '%s', which is not written in Lua, is not found (package.cpath, which "
               "LUA_CPATH gives)",
               module);
}

void loading_native(lua_State *L, void *context, const char *module, const char *field)
{
    const struct exact *exact = context;
    int top = lua_gettop(L), natives = top + 1;
    luaL_checkstack(L, 10, NULL);
    lua_rawgeti(L, LUA_REGISTRYINDEX, exact->natives);
    if (lua_getfield(L, natives, module) == LUA_TNIL) {
        lua_pop(L, 1);
        loading_load_native(L, natives, module);
        lua_pushvalue(L, -1);
        lua_setfield(L, natives, module);
    }
    if (field != NULL && lua_type(L, -1) == LUA_TTABLE) {
        lua_pushstring(L, field);
        lua_rawget(L, -2);
    } else if (field != NULL) {
        lua_pushnil(L);
    }
    if (!lua_iscfunction(L, -1))
        luaL_error(L, "module '%s' has no function '%s', which the snapshot refers to", module,
                   field == NULL ? "of its own" : field);
    lua_replace(L, top + 1);
    lua_settop(L, top + 1);
}

/* The searchers of package.preload, and of libraries in C, are kept. */
static void loading_keep_searchers(lua_State *L, struct exact *exact)
{
    static const int kept[] = {1, 3, 4};
    lua_newtable(L);
    for (lua_Integer i = 0; i < 3; i++) {
        lua_rawgeti(L, -2, kept[i]);
        lua_rawseti(L, -2, i + 1);
    }
    exact->natives = luaL_ref(L, LUA_REGISTRYINDEX);
}

void loading_open(lua_State *L, struct exact *exact)
{
    lua_pushglobaltable(L);
    loading_replace(L, exact, "load", loading_load);
    loading_replace(L, exact, "loadfile", loading_loadfile);
    loading_replace(L, exact, "dofile", loading_dofile);
    loading_replace(L, exact, "require", loading_require);
    lua_getfield(L, -1, LUA_LOADLIBNAME);
    lua_getfield(L, -1, "searchers");
    loading_keep_searchers(L, exact);
    lua_pushlightuserdata(L, exact);
    lua_getfield(L, -3, "searchpath");
    lua_pushcclosure(L, loading_search, 2);
    lua_rawseti(L, -2, 2);
    lua_pop(L, 3);
    points_add(L, exact, loading_dofile, POINT_CALL, loading_dofile_done, LUA_MULTRET);
    points_add(L, exact, loading_require, POINT_CALL, loading_required, 1);
}
