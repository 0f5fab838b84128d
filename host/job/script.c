#include "job/script.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "base/bytes.h"
#include "store/checksum.h"

/* As much memory as the file needs: a larger buffer would be touched, page by page, when it grows,
 * which was a good part of the start of a job. One byte more finds the end. */
static int script_read_all(int fd, struct bytes *text, const char *path, struct error *error)
{
    struct stat info;
    size_t more = fstat(fd, &info) == 0 && info.st_size > 0 ? (size_t)info.st_size + 1 : 1;
    for (;; more = 1) {
        if (bytes_reserve(text, more) != 0)
            return error_set(error, ERROR_MEMORY, "%s: not enough memory", path);
        ssize_t got = read(fd, text->data + text->size, text->capacity - text->size);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set_system(error, "%s: reading failed", path);
        if (got == 0)
            return 0;
        text->size += (size_t)got;
    }
}

static int script_hash(struct script *script, struct error *error)
{
    unsigned char digest[CHECKSUM_SIZE];
    struct checksum *checksum = checksum_new();
    if (checksum == NULL)
        return error_set(error, ERROR_MEMORY, "not enough memory");
    checksum_add(checksum, script->text, script->size);
    checksum_digest(checksum, digest);
    checksum_free(checksum);
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        snprintf(script->hash + 2 * i, 3, "%02x", digest[i]);
    return 0;
}

int script_read(struct script *script, const char *path, int argc, char *const argv[],
                struct error *error)
{
    const char *slash = strrchr(path, '/');
    *script = (struct script){
        .path = path, .name = slash == NULL ? path : slash + 1, .argc = argc, .argv = argv};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    struct stat info;
    if (fd < 0 || fstat(fd, &info) != 0) {
        int status = errno == ENOENT ? error_set(error, ERROR_ABSENT, "%s: no such file", path)
                                     : error_set_system(error, "%s", path);
        if (fd >= 0)
            close(fd);
        return status;
    }
    struct bytes text = {0};
    int status;
    if (S_ISDIR(info.st_mode))
        status = error_set(error, ERROR_INVALID, "%s is a directory, not a script", path);
    else if (!S_ISREG(info.st_mode)) /* a pipe could not be read again by the next run */
        status = error_set(error, ERROR_INVALID, "%s is not a regular file", path);
    else
        status = script_read_all(fd, &text, path, error);
    close(fd);
    if (status == 0 && bytes_append(&text, "", 1) != 0)
        status = error_set(error, ERROR_MEMORY, "%s: not enough memory", path);
    if (status != 0) {
        bytes_free(&text);
        return status;
    }
    script->text = (char *)text.data;
    script->size = text.size - 1;
    return script_hash(script, error);
}

void script_free(struct script *script)
{
    free(script->text);
    script->text = NULL;
}

int script_load(const struct script *script, lua_State *L, struct error *error)
{
    const char *text = script->text;
    size_t size = script->size;
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        size -= 3;
    }
    if (size > 0 && *text == '#') { /* the line end stays, so that lines are numbered right */
        size_t skip = strcspn(text, "\n");
        if (skip > size)
            skip = size;
        text += skip;
        size -= skip;
    }
    if (!lua_checkstack(L, 4))
        return error_set(error, ERROR_MEMORY, "not enough memory");
    lua_pushfstring(L, "@%s", script->path);
    int status = luaL_loadbufferx(L, text, size, lua_tostring(L, -1), "t");
    lua_remove(L, -2);
    if (status == LUA_OK)
        return 0;
    error_set(error, ERROR_INVALID, "%s", lua_tostring(L, -1));
    if (size > 0 && *text == *LUA_SIGNATURE)
        error_set(error, ERROR_INVALID, "%s is compiled Lua; ckptlua needs the source text",
                  script->path);
    lua_pop(L, 1);
    return ERROR_INVALID;
}

void script_set_arguments(const struct script *script, lua_State *L)
{
    lua_createtable(L, script->argc, 1);
    lua_pushstring(L, script->path);
    lua_rawseti(L, -2, 0);
    for (int i = 0; i < script->argc; i++) {
        lua_pushstring(L, script->argv[i]);
        lua_rawseti(L, -2, i + 1);
    }
    lua_setglobal(L, "arg");
}

char *script_default_snapshot(const struct script *script)
{
    size_t length = strlen(script->name);
    if (length > 4 && strcmp(script->name + length - 4, ".lua") == 0)
        length -= 4;
    char *file = malloc(length + sizeof ".ckpt");
    if (file != NULL) {
        memcpy(file, script->name, length);
        memcpy(file + length, ".ckpt", sizeof ".ckpt");
    }
    return file;
}

static void script_push_line_of(lua_State *L, const char *text, int line)
{
    while (--line > 0 && text != NULL) {
        text = strchr(text, '\n');
        text = text == NULL ? NULL : text + 1;
    }
    if (text == NULL || line < 0)
        lua_pushnil(L);
    else
        lua_pushlstring(L, text, strcspn(text, "\n"));
}

/* Pushes line `line` of a file of no great size, or nil. */
static void script_push_file_line(lua_State *L, const char *path, int line)
{
    struct bytes text = {0};
    struct error error;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK), status = -1;
    if (fd >= 0) {
        status = script_read_all(fd, &text, path, &error);
        close(fd);
    }
    if (status != 0 || bytes_append(&text, "", 1) != 0) {
        bytes_free(&text);
        lua_pushnil(L);
        return;
    }
    const char *at = (const char *)text.data;
    for (int i = 1; i < line && at != NULL; i++) {
        at = strchr(at, '\n');
        at = at == NULL ? NULL : at + 1;
    }
    /* Copied to the C stack: pushing may raise, and the text is malloc'ed. */
    char copy[512] = "";
    if (at != NULL)
        snprintf(copy, sizeof copy, "%.*s", (int)strcspn(at, "\n"), at);
    int found = at != NULL;
    bytes_free(&text);
    if (found)
        lua_pushstring(L, copy);
    else
        lua_pushnil(L);
}

void script_push_line(const struct script *script, lua_State *L, const char *source, int line)
{
    if (*source != '@')
        lua_pushnil(L);
    else if (strcmp(source + 1, script->path) == 0)
        script_push_line_of(L, script->text, line);
    else
        script_push_file_line(L, source + 1, line);
}

int script_difference(const struct script *script, const char *text, size_t size)
{
    size_t least = size < script->size ? size : script->size, at = 0;
    int line = 1;
    for (; at < least && text[at] == script->text[at]; at++)
        line += text[at] == '\n';
    return at == size && at == script->size ? 0 : line;
}
