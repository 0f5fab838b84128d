#include "job/filesync.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "job/filetable.h"

/* Above so many closed files to be synced, whole file systems are. */
enum { MANY_FILES = 100 };

static int sync_descriptor(int descriptor, bool whole)
{
    int status;
    do
        status = whole ? syncfs(descriptor) : fsync(descriptor);
    while (status != 0 && errno == EINTR);
    /* Devices and the like, which have nothing to sync. */
    if (status != 0 && (errno == EINVAL || errno == EROFS || errno == ENOTSUP))
        status = 0;
    return status;
}

/* Syncs what bears that name; with `whole` all of its file system. One that is gone, and a
 * directory that may not be read, are nobody's loss. */
static int sync_path(const char *path, bool whole)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0 && errno == EACCES)
        descriptor = open(path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    if (descriptor < 0)
        return errno == ENOENT || errno == EACCES || errno == EISDIR || errno == ENOTDIR ? 0 : -1;
    int status = sync_descriptor(descriptor, whole);
    int cause = errno;
    close(descriptor);
    errno = cause;
    return status;
}

static _Noreturn void raise_write_error(lua_State *L, const char *path)
{
    filetable_raise_system(L, "writing %s failed", path);
}

/* Once bytes are lost no snapshot may say that the file has them. */
static _Noreturn void raise_lost(lua_State *L, const char *path)
{
    if (filetable_get(L)->is_closing)
        filetable_raise(L, "writing %s failed", path);
    filetable_raise(L,
                    "%s lacks bytes, as writing it failed before; make room, end the job and let "
                    "it continue from its last snapshot",
                    path);
}

/* The FILE* is on top of the stack. */
static void flush_handle(lua_State *L, const struct handle *handle, FILE *stream)
{
    struct file *file = filetable_file_of(L, -1);
    if (!filetable_writes(handle->mode))
        return;
    if (ferror(stream))
        raise_lost(L, handle->path);
    if (fflush(stream) != 0 || (file != NULL && sync_descriptor(fileno(stream), false) != 0))
        raise_write_error(L, handle->path);
    if (file == NULL)
        return;
    file->open = true;
    file->dirty = false;
}

static void flush_handles(lua_State *L)
{
    FILE *stream;
    filetable_list(L, FILETABLE_HANDLES);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        struct handle *handle = filetable_open_handle(L, i, &stream);
        if (handle != NULL && handle->kind <= HANDLE_DEVICE)
            flush_handle(L, handle, stream);
        else if (handle != NULL && handle->kind == HANDLE_PIPE)
            filetable_warn(L, CAUSE_PIPE,
                           "a pipe opened by io.popen cannot be saved; close it before saves");
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}

/* directories[parent of file] = true, for the table at -2 and the file at -1. */
static void note_directory(lua_State *L, const char *absolute)
{
    char parent[PATH_MAX];
    paths_parent(absolute, parent);
    lua_pushboolean(L, 1);
    lua_setfield(L, -3, parent);
}

/* Syncs the closed file at -1; the directories are at -2. With `many` its file system, if that is
 * not the one synced last. */
static void sync_file(lua_State *L, struct file *file, bool many, dev_t *synced)
{
    struct place place;
    struct stat status;
    bool there = filetable_look(L, file, &place, &status);
    if (file->lost && there)
        raise_lost(L, file->path);
    if (file->dirty && there && !(many && status.st_dev == *synced)) {
        if (sync_path(place.absolute, many) != 0)
            raise_write_error(L, file->path);
        *synced = status.st_dev;
    }
    if (file->entered)
        note_directory(L, place.absolute);
}

static void sync_directories(lua_State *L)
{
    lua_pushnil(L);
    while (lua_next(L, -2)) {
        lua_pop(L, 1);
        if (sync_path(lua_tostring(L, -1), false) != 0)
            raise_write_error(L, lua_tostring(L, -1));
    }
}

static void sync_closed(lua_State *L)
{
    lua_Integer dirty = 0;
    dev_t synced = 0; /* no file system of files has that number */
    filetable_list(L, FILETABLE_FILES);
    int list = lua_gettop(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, list);
    for (lua_Integer i = 1; i <= count; i++, lua_pop(L, 1))
        dirty += filetable_list_file(L, list, i)->dirty;
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++, lua_pop(L, 1)) {
        struct file *file = filetable_list_file(L, list, i);
        if (file->dirty || file->entered || file->lost)
            sync_file(L, file, dirty > MANY_FILES, &synced);
    }
    sync_directories(L);
    /* Only now, as any of the above may have raised. What is open gets more bytes. */
    for (lua_Integer i = 1; i <= count; i++, lua_pop(L, 1)) {
        struct file *file = filetable_list_file(L, list, i);
        file->dirty = file->open;
        file->open = file->entered = false;
    }
    lua_pop(L, 2);
}

void filesync_flush(lua_State *L)
{
    flush_handles(L);
    sync_closed(L);
}

/* Closes the FILE* at index 1, as file:close does: true, or nil, message and number. */
static int close_stream(lua_State *L)
{
    luaL_Stream *stream = lua_touserdata(L, 1);
    lua_CFunction close_function = stream->closef;
    stream->closef = NULL;
    return close_function(L);
}

void filesync_close(lua_State *L)
{
    FILE *stream;
    filetable_list(L, FILETABLE_HANDLES);
    lua_Integer count = (lua_Integer)lua_rawlen(L, -1);
    for (lua_Integer i = 1; i <= count; i++) {
        struct handle *handle = filetable_open_handle(L, i, &stream);
        if (handle != NULL && handle->kind <= HANDLE_DEVICE && filetable_writes(handle->mode)) {
            lua_pushcfunction(L, close_stream);
            lua_pushvalue(L, -2);
            lua_call(L, 1, 2);
            if (!lua_toboolean(L, -2))
                filetable_raise(L, "closing %s failed: %s", handle->path, lua_tostring(L, -1));
            lua_pop(L, 2);
        }
        lua_pop(L, 1);
    }
    lua_pop(L, 1);
}
