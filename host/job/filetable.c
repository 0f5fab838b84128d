#include "job/filetable.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <lauxlib.h>

static const char filetable_key = 'f';

int filetable_begin_own(lua_State *L)
{
    return zone_own(filetable_get(L)->host->zone, ZONE_HOSTS);
}

void filetable_end_own(lua_State *L, int before)
{
    zone_own(filetable_get(L)->host->zone, before);
}

/* Pushes a table with weak keys. */
static void push_weak_table(lua_State *L)
{
    lua_newtable(L);
    lua_newtable(L);
    lua_pushliteral(L, "k");
    lua_setfield(L, -2, "__mode");
    lua_setmetatable(L, -2);
}

struct filetable *filetable_new(lua_State *L, const struct files_host *host, lua_CFunction finalize)
{
    int own = zone_own(host->zone, ZONE_HOSTS);
    struct filetable *table = lua_newuserdatauv(L, sizeof *table, FILETABLE_RESTORED);
    *table = (struct filetable){.host = host, .next = 1, .stdin_start = -1};
    push_weak_table(L);
    lua_setiuservalue(L, -2, FILETABLE_HANDLES);
    lua_newtable(L);
    lua_setiuservalue(L, -2, FILETABLE_FILES);
    lua_pushliteral(L, "");
    lua_setiuservalue(L, -2, FILETABLE_JOURNAL);
    lua_newtable(L);
    lua_setiuservalue(L, -2, FILETABLE_RESTORED);
    lua_createtable(L, 0, 1);
    lua_pushcfunction(L, finalize);
    lua_setfield(L, -2, "__gc");
    lua_setmetatable(L, -2);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &filetable_key);
    zone_own(host->zone, own);
    return table;
}

struct filetable *filetable_get(lua_State *L)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &filetable_key);
    struct filetable *table = lua_touserdata(L, -1);
    lua_pop(L, 1); /* the registry keeps it */
    if (table == NULL)
        filetable_raise(L, "files_open was not called for this state");
    return table;
}

void filetable_push(lua_State *L, enum filetable_part part)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &filetable_key);
    lua_getiuservalue(L, -1, (int)part);
    lua_remove(L, -2);
}

void filetable_set(lua_State *L, enum filetable_part part)
{
    lua_rawgetp(L, LUA_REGISTRYINDEX, &filetable_key);
    lua_insert(L, -2);
    lua_setiuservalue(L, -2, (int)part);
    lua_pop(L, 1);
}

void filetable_list(lua_State *L, enum filetable_part part)
{
    lua_Integer count = 0;
    lua_newtable(L); /* before the walk: may run finalizers; lua_rawseti does not */
    filetable_push(L, part);
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        if (part == FILETABLE_HANDLES) { /* the key is the FILE* */
            lua_pop(L, 1);
            lua_pushvalue(L, -1);
        }
        lua_rawseti(L, -4, ++count);
    }
    lua_pop(L, 1);
}

struct file *filetable_list_file(lua_State *L, int list, lua_Integer i)
{
    lua_rawgeti(L, list, i);
    return lua_touserdata(L, -1);
}

FILE *filetable_stream(lua_State *L, int index)
{
    luaL_Stream *stream = lua_touserdata(L, index);
    return stream->closef != NULL ? stream->f : NULL;
}

struct handle *filetable_open_handle(lua_State *L, lua_Integer i, FILE **stream)
{
    lua_rawgeti(L, -1, i);
    *stream = filetable_stream(L, -1);
    return *stream != NULL ? filetable_handle(L, -1) : NULL;
}

/* Pushes a new struct file. */
static struct file *new_file(lua_State *L, const struct place *place)
{
    size_t size = strlen(place->recorded) + 1;
    struct file *file = lua_newuserdatauv(L, sizeof *file + size, 0);
    *file = (struct file){.before = FILE_UNKNOWN, .saved = -1, .pushed = -1};
    memcpy(file->path, place->recorded, size);
    return file;
}

struct file *filetable_file(lua_State *L, const struct place *place, bool make)
{
    int own = filetable_begin_own(L);
    filetable_push(L, FILETABLE_FILES);
    lua_getfield(L, -1, place->identity);
    struct file *file = lua_touserdata(L, -1);
    if (file == NULL && make) {
        lua_pop(L, 1);
        file = new_file(L, place);
        lua_pushvalue(L, -1);
        lua_setfield(L, -3, place->identity);
    }
    lua_remove(L, -2);
    filetable_end_own(L, own);
    return file;
}

bool filetable_look(lua_State *L, const struct file *file, struct place *place, struct stat *status)
{
    if (paths_find_recorded(place, filetable_get(L)->start, file->path) != 0)
        return false;
    if (stat(place->absolute, status) == 0)
        return S_ISREG(status->st_mode);
    if (errno != ENOENT && errno != ENOTDIR)
        filetable_raise_system(L, "cannot look at %s", file->path);
    return false;
}

struct handle *filetable_handle(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    filetable_push(L, FILETABLE_HANDLES);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    struct handle *handle = lua_touserdata(L, -1);
    lua_pop(L, 2);
    return handle;
}

struct file *filetable_file_of(lua_State *L, int index)
{
    index = lua_absindex(L, index);
    filetable_push(L, FILETABLE_HANDLES);
    lua_pushvalue(L, index);
    lua_rawget(L, -2);
    struct file *file = NULL;
    if (lua_touserdata(L, -1) != NULL) {
        lua_getiuservalue(L, -1, 1);
        file = lua_touserdata(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return file;
}

/* Pushes a copy of what with the two names behind it. */
static struct handle *new_handle(lua_State *L, const struct handle *what, const char *path)
{
    size_t path_size = strlen(path) + 1, name_size = strlen(what->name) + 1;
    struct handle *handle = lua_newuserdatauv(L, sizeof *handle + path_size + name_size, 1);
    *handle = *what;
    memcpy(handle->path, path, path_size);
    memcpy(handle->path + path_size, what->name, name_size);
    handle->name = handle->path + path_size;
    return handle;
}

void filetable_add(lua_State *L, int index, const struct handle *what, const struct place *place,
                   lua_Integer number)
{
    struct filetable *table = filetable_get(L);
    int own = filetable_begin_own(L);
    index = lua_absindex(L, index);
    filetable_push(L, FILETABLE_HANDLES);
    lua_pushvalue(L, index);
    struct handle *handle = new_handle(L, what, place != NULL ? place->recorded : "");
    handle->number = number != 0 ? number : table->next;
    if (handle->number >= table->next)
        table->next = handle->number + 1;
    if (place != NULL && handle->kind == HANDLE_FILE && filetable_writes(handle->mode)) {
        filetable_file(L, place, true);
        lua_setiuservalue(L, -2, 1);
    }
    lua_rawset(L, -3);
    lua_pop(L, 1);
    filetable_end_own(L, own);
}

/* Once the state is closed nobody asks for file->lost. No allocation may fail here. */
static void tell_lost(const struct files_host *host, const char *path, int cause)
{
    struct error error;
    errno = cause;
    if (host->failed == NULL)
        return;
    if (cause != 0)
        error_set_system(&error, "writing %s failed", path);
    else
        error_set(&error, ERROR_SYSTEM, "writing %s failed", path);
    host->failed(host->context, error.message);
}

int filetable_close(lua_State *L)
{
    luaL_Stream *stream = luaL_checkudata(L, 1, LUA_FILEHANDLE);
    const struct filetable *table = filetable_get(L);
    const struct handle *handle = filetable_handle(L, 1);
    struct file *file = filetable_file_of(L, 1);
    bool lost = ferror(stream->f);
    bool closed = fclose(stream->f) == 0;
    int cause = closed ? 0 : errno;
    if (file != NULL && (lost || !closed))
        file->lost = true;
    if (table->is_closing && handle != NULL && filetable_writes(handle->mode) && (lost || !closed))
        tell_lost(table->host, handle->path, cause);
    errno = cause;
    return luaL_fileresult(L, closed, NULL);
}

int64_t filetable_recorded(const struct file *file)
{
    int64_t most = file->saved > file->pushed ? file->saved : file->pushed;
    return most > 0 ? most : 0;
}

bool filetable_writes(const char *mode)
{
    return mode[0] != 'r' || mode[1] == '+';
}

int filetable_mode(const char *mode, char out[4])
{
    if (*mode == '\0' || strchr("rwa", *mode) == NULL)
        return -1;
    *out++ = *mode++;
    if (*mode == '+')
        *out++ = *mode++;
    if (mode[strspn(mode, "b")] != '\0')
        return -1;
    if (*mode == 'b')
        *out++ = 'b';
    *out = '\0';
    return 0;
}

void filetable_warn(lua_State *L, enum filetable_cause cause, const char *format, ...)
{
    struct filetable *table = filetable_get(L);
    if ((table->warned & 1U << cause) != 0)
        return;
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    table->warned |= 1U << cause;
    if (table->host->warn != NULL)
        table->host->warn(table->host->context, lua_tostring(L, -1));
    lua_pop(L, 1);
}

void filetable_raise(lua_State *L, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    lua_error(L);
    __builtin_unreachable();
}

void filetable_raise_system(lua_State *L, const char *format, ...)
{
    struct error error;
    int cause = errno;
    va_list args;
    va_start(args, format);
    lua_pushvfstring(L, format, args);
    va_end(args);
    errno = cause;
    error_set_system(&error, "%s", lua_tostring(L, -1));
    lua_pushstring(L, error.message);
    lua_error(L);
    __builtin_unreachable();
}
