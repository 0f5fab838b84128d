#include "job/files.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "job/filejournal.h"
#include "job/filerestore.h"
#include "job/filesync.h"
#include "job/filetable.h"
#include "job/iolib.h"

/* ------------------------------------------------------------------ opening */

/* Offset of descriptor 0 where it is a regular file, else -1. */
static int64_t stdin_offset(void)
{
    struct stat status;
    if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        return -1;
    return lseek(STDIN_FILENO, 0, SEEK_CUR);
}

/* Pushes library.name as a C function, and pops it. */
static lua_CFunction stock_function(lua_State *L, const char *name)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_CFunction function = NULL;
    if (lua_getfield(L, -1, LUA_IOLIBNAME) == LUA_TTABLE) {
        lua_getfield(L, -1, name);
        function = lua_tocfunction(L, -1);
        lua_pop(L, 1);
    }
    lua_pop(L, 2);
    return function;
}

static int finish(lua_State *L)
{
    files_finish(L);
    return 0;
}

/* __gc of the table, which is made before all objects of the script and so goes after them. Closes
 * what their finalizers have left open too. */
static int finish_at_close(lua_State *L)
{
    const struct filetable *table = lua_touserdata(L, 1);
    if (!table->is_closing)
        return 0;
    lua_pushcfunction(L, finish);
    if (lua_pcall(L, 0, 0, 0) != LUA_OK && table->host->failed != NULL) {
        const char *text = lua_tostring(L, -1);
        table->host->failed(table->host->context, text == NULL ? "not enough memory" : text);
    }
    return 0;
}

void files_finish_at_close(lua_State *L)
{
    filetable_get(L)->is_closing = true;
}

void files_open(lua_State *L, const struct files_host *host)
{
    struct filetable *table = filetable_new(L, host, finish_at_close);
    if (paths_directory(table->start) != 0)
        filetable_raise(L, "the current directory has no name, or one that is too long");
    table->stdin_start = stdin_offset();
    table->input = stock_function(L, "input");
    table->output = stock_function(L, "output");
    iolib_open(L);
}

/* ------------------------------------------------------------------ state of a handle */

/* Whether the file is still what its name stands for. */
static bool in_place(lua_State *L, const struct handle *handle, FILE *stream)
{
    struct place place;
    struct stat there, here;
    return paths_find_recorded(&place, filetable_get(L)->start, handle->path) == 0 &&
           fstat(fileno(stream), &here) == 0 && stat(place.absolute, &there) == 0 &&
           here.st_dev == there.st_dev && here.st_ino == there.st_ino;
}

/* Why an open FILE* cannot be saved; NULL if it can. */
static const char *obstacle(lua_State *L, const struct handle *handle, FILE *stream)
{
    if (handle == NULL)
        return "a file that was not opened by io.open";
    if (handle->kind == HANDLE_PIPE)
        return "a pipe (io.popen), which ends with this process; read all of it and close it";
    if (handle->kind == HANDLE_TEMPORARY)
        return "a temporary file (io.tmpfile), which has no name; open one by os.tmpname() instead";
    if (handle->kind == HANDLE_NAMED_PIPE)
        return "a named pipe";
    if (handle->kind == HANDLE_FILE && !in_place(L, handle, stream))
        return "a file that was removed, renamed or replaced while it was open; close it before "
               "that";
    return NULL;
}

/* ------------------------------------------------------------------ describing */

/* table[name] = value, for the table on top of the stack */
static void set_integer(lua_State *L, const char *name, int64_t value)
{
    lua_pushinteger(L, value);
    lua_setfield(L, -2, name);
}

static void set_string(lua_State *L, const char *name, const char *value)
{
    lua_pushstring(L, value);
    lua_setfield(L, -2, name);
}

/* Pushes the description of an open handle. */
static void push_description(lua_State *L, const struct handle *handle, FILE *stream)
{
    struct stat status;
    lua_createtable(L, 0, 7);
    set_integer(L, "number", handle->number);
    set_string(L, "name", handle->name);
    set_string(L, "path", handle->path);
    set_string(L, "mode", handle->mode);
    int64_t position = ftello(stream);
    if (handle->kind == HANDLE_FILE && position >= 0 && fstat(fileno(stream), &status) == 0) {
        set_integer(L, "position", position);
        set_integer(L, "size", status.st_size);
    }
    if (__flbf(stream))
        set_string(L, "buffer", "line");
    else if (__fbufsize(stream) == 1)
        set_string(L, "buffer", "no");
}

static void push_handles(lua_State *L)
{
    FILE *stream;
    lua_Integer used = 0;
    lua_newtable(L);
    filetable_list(L, FILETABLE_HANDLES);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        struct handle *handle = filetable_open_handle(L, i, &stream);
        if (handle != NULL && obstacle(L, handle, stream) == NULL) {
            push_description(L, handle, stream);
            lua_rawseti(L, -4, ++used);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* Pushes `files`, then `before`. */
static void push_files(lua_State *L)
{
    struct place place;
    struct stat status;
    lua_newtable(L);
    lua_newtable(L);
    filetable_list(L, FILETABLE_FILES);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        struct file *file = filetable_list_file(L, -1, i);
        file->written = file->written && filetable_look(L, file, &place, &status);
        file->pushed = file->written ? status.st_size : -1;
        file->known = file->rewritten = false; /* once this is saved; else lines are repeated */
        if (!file->written) {
            file->before = FILE_UNKNOWN;
        } else {
            lua_pushinteger(L, status.st_size);
            lua_setfield(L, -5, file->path);
        }
        if (file->before != FILE_UNKNOWN) {
            lua_pushinteger(L, file->before);
            lua_setfield(L, -4, file->path);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* The number by which the default file at -1 is known; FILETABLE_OWN if it is `own` and needs none.
 */
static lua_Integer default_number(lua_State *L, const char *name, const FILE *own)
{
    FILE *stream = filetable_stream(L, -1);
    struct handle *handle = filetable_handle(L, -1);
    if (stream == NULL)
        return FILETABLE_CLOSED;
    if (stream == own)
        return FILETABLE_OWN;
    if (stream == stderr && handle == NULL)
        return FILETABLE_STDERR;
    const char *reason = obstacle(L, handle, stream);
    if (reason == NULL)
        return handle->number;
    filetable_warn(L, CAUSE_DEFAULT,
                   "io.%s() is %s, which cannot be saved; set it again after a continue", name,
                   reason);
    return FILETABLE_OWN;
}

/* description[name] = the number of what io.input() or io.output() gives */
static void set_default(lua_State *L, const char *name, lua_CFunction function, const FILE *own)
{
    lua_pushcfunction(L, function);
    lua_call(L, 0, 1);
    lua_Integer number = default_number(L, name, own);
    lua_pop(L, 1);
    if (number != FILETABLE_OWN)
        set_integer(L, name, number);
}

static void set_stdin(lua_State *L)
{
    const struct filetable *table = filetable_get(L);
    struct stat status;
    if (fstat(STDIN_FILENO, &status) != 0)
        return;
    /* glibc allocates the buffer when a stream is first used. */
    if (S_ISFIFO(status.st_mode) && __fbufsize(stdin) > 0)
        filetable_warn(L, CAUSE_STDIN,
                       "stdin is a pipe: what was read from it cannot be read again after a "
                       "continue; use a file (ckptlua job.lua < file)");
    int64_t position = S_ISREG(status.st_mode) ? ftello(stdin) : -1;
    /* One that the job never read may be somebody else's, such as a shell's loop. */
    if (position >= 0 && (table->stdin_moved || position != table->stdin_start))
        set_integer(L, "stdin", position);
}

void files_push(lua_State *L)
{
    struct filetable *table = filetable_get(L);
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    filetable_push(L, FILETABLE_JOURNAL);
    table->kept = lua_rawlen(L, -1);
    lua_pop(L, 1);
    lua_createtable(L, 0, 7);
    push_files(L);
    lua_setfield(L, -3, "before");
    lua_setfield(L, -2, "files");
    push_handles(L);
    lua_setfield(L, -2, "handles");
    set_default(L, "input", table->input, stdin);
    set_default(L, "output", table->output, stdout);
    set_stdin(L);
    set_integer(L, "next", table->next);
}

void files_saved(lua_State *L)
{
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    filetable_push(L, FILETABLE_FILES);
    lua_pushnil(L);
    while (lua_next(L, -2)) { /* nothing is allocated here: see filetable_list */
        struct file *file = lua_touserdata(L, -1);
        file->saved = file->pushed;
        lua_pop(L, 1);
        if (!file->written) { /* removed since */
            lua_pushvalue(L, -1);
            lua_pushnil(L);
            lua_rawset(L, -4);
        }
    }
    lua_pop(L, 1);
    filejournal_saved(L);
}

void files_save_handle(lua_State *L, int index)
{
    FILE *stream = filetable_stream(L, index);
    if (stream == NULL) {
        lua_pushliteral(L, FILETABLE_CLOSED_NAME);
        return;
    }
    struct handle *handle = filetable_handle(L, index);
    const char *reason = obstacle(L, handle, stream);
    if (reason != NULL)
        filetable_raise(L, "%s", reason);
    lua_pushfstring(L, "%I", (LUAI_UACINT)handle->number);
}

void files_restore(lua_State *L, int index, const char *journal)
{
    filerestore_all(L, index, journal);
}

void files_cut(lua_State *L, int index, const char *journal)
{
    filerestore_cut(L, index, journal);
}

void files_load_handle(lua_State *L, const char *data, size_t size)
{
    filerestore_handle(L, data, size);
}

void files_forget(lua_State *L)
{
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    int own = filetable_begin_own(L);
    lua_newtable(L);
    filetable_set(L, FILETABLE_RESTORED);
    filetable_end_own(L, own);
}

void files_flush(lua_State *L)
{
    files_forget(L);
    filesync_flush(L);
}

void files_finish(lua_State *L)
{
    files_finish_at_close(L);
    files_flush(L);
    filesync_close(L);
}
