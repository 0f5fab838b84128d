#include "job/filerestore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>
#include <lualib.h>

#include "job/filejournal.h"
#include "job/filetable.h"

#define WAY_OUT "; put the file back, or start over with --fresh"

/* Where on the stack filerestore_all keeps what it works with. */
struct parts {
    int files, handles;      /* of the description */
    int before;              /* the same; 0: it is of an older version, or there is none */
    int rewritten, appended; /* of the journal */
    int description;         /* 0: none */
};

/* One file of the description or the journal, as it is now. */
struct found {
    struct place place;
    bool there;
    bool regular;
    int64_t size;
    bool rewritten;
};

static _Noreturn void raise_nonsense(lua_State *L, const char *what)
{
    filetable_raise(L, "what the snapshot says about open files makes no sense (%s)", what);
}

/* ------------------------------------------------------------------ reading the description */

/* table[name], which must be of that type; nil too, if it is optional. Pushes nothing: strings and
 * tables stay in the table. */
static int64_t integer_field(lua_State *L, int table, const char *name, int64_t least,
                             int64_t otherwise)
{
    lua_getfield(L, table, name);
    int64_t value = lua_isnil(L, -1) ? otherwise : lua_tointeger(L, -1);
    if ((!lua_isnil(L, -1) && !lua_isinteger(L, -1)) || value < least ||
        value > INT64_MAX / 2) /* room to count on */
        raise_nonsense(L, name);
    lua_pop(L, 1);
    return value;
}

/* A string that can be a file's name, "" if there is none. */
static const char *string_field(lua_State *L, int table, const char *name)
{
    size_t size = 0;
    int type = lua_getfield(L, table, name);
    const char *value = type == LUA_TSTRING ? lua_tolstring(L, -1, &size) : "";
    if ((type != LUA_TSTRING && type != LUA_TNIL) || strlen(value) != size || size >= PATH_MAX)
        raise_nonsense(L, name);
    lua_pop(L, 1);
    return value;
}

/* Pushes table[name], or an empty table where `table` is 0. */
static int push_table_field(lua_State *L, int table, const char *name)
{
    if (table == 0)
        lua_newtable(L);
    else if (lua_getfield(L, table, name) != LUA_TTABLE)
        raise_nonsense(L, name);
    return lua_gettop(L);
}

static bool is_in(lua_State *L, int table, const char *path)
{
    bool found = lua_getfield(L, table, path) != LUA_TNIL;
    lua_pop(L, 1);
    return found;
}

/* ------------------------------------------------------------------ checking */

/* Looks at the file of that recorded path. */
static void find(lua_State *L, const struct parts *parts, const char *path, struct found *found)
{
    struct stat status;
    if (path[0] == '\0' || paths_find_recorded(&found->place, filetable_get(L)->start, path) != 0)
        raise_nonsense(L, "path");
    found->there = stat(found->place.absolute, &status) == 0;
    if (!found->there && errno != ENOENT && errno != ENOTDIR)
        filetable_raise_system(L, "cannot look at %s", path);
    found->regular = found->there && S_ISREG(status.st_mode);
    found->size = found->there ? status.st_size : 0;
    found->rewritten = is_in(L, parts->rewritten, path);
}

static void check_regular(lua_State *L, const char *path, const struct found *found)
{
    if (found->there && !found->regular)
        filetable_raise(L, "%s is not a regular file any more" WAY_OUT, path);
}

static void check_access(lua_State *L, const char *path, const struct found *found, int access)
{
    if (found->there && eaccess(found->place.absolute, access) != 0)
        filetable_raise_system(L, "cannot open %s again", path);
}

/* Whether the snapshot has a handle open that writes to that place. */
static bool is_held(lua_State *L, const struct parts *parts, const struct place *place)
{
    bool held = false;
    struct place other;
    lua_Integer count = (lua_Integer)lua_rawlen(L, parts->handles);
    for (lua_Integer i = 1; i <= count && !held; i++) {
        if (lua_rawgeti(L, parts->handles, i) == LUA_TTABLE) {
            int handle = lua_gettop(L);
            held = filetable_writes(string_field(L, handle, "mode")) &&
                   paths_find_recorded(&other, filetable_get(L)->start,
                                       string_field(L, handle, "path")) == 0 &&
                   strcmp(other.identity, place->identity) == 0;
        }
        lua_pop(L, 1);
    }
    return held;
}

/* Whether what is behind the saved length goes. A file that was rewritten since stays whole for
 * those who read it until the job rewrites it again, unless an open handle goes on at that length.
 */
static bool is_cut(lua_State *L, const struct parts *parts, const struct found *found, int64_t size)
{
    return found->there && found->size > size &&
           (!found->rewritten || is_held(L, parts, &found->place));
}

static void check_file(lua_State *L, const struct parts *parts, const char *path, int64_t size)
{
    struct found found;
    find(L, parts, path, &found);
    check_regular(L, path, &found);
    if (found.rewritten && size > 0)
        filetable_warn(L, CAUSE_REWRITTEN,
                       "%s was overwritten, renamed or removed after the snapshot was saved: the "
                       "%I bytes of that time are lost; see docs/limits.md",
                       path, (LUAI_UACINT)size);
    else if (!found.there && !found.rewritten)
        filetable_raise(L, "%s is gone, %I bytes were written when the snapshot was saved" WAY_OUT,
                        path, (LUAI_UACINT)size);
    else if (found.size < size)
        filetable_raise(L,
                        "%s is %I bytes long, %I were written when the snapshot was saved" WAY_OUT,
                        path, (LUAI_UACINT)found.size, (LUAI_UACINT)size);
    if (is_cut(L, parts, &found, size))
        check_access(L, path, &found, W_OK);
}

/* The files of the description. */
static void check_files(lua_State *L, const struct parts *parts)
{
    lua_pushnil(L);
    while (lua_next(L, parts->files)) {
        size_t size;
        if (lua_type(L, -2) != LUA_TSTRING || !lua_isinteger(L, -1) || lua_tointeger(L, -1) < 0)
            raise_nonsense(L, "files");
        const char *path = lua_tolstring(L, -2, &size);
        if (strlen(path) != size)
            raise_nonsense(L, "files");
        check_file(L, parts, path, lua_tointeger(L, -1));
        lua_pop(L, 1);
    }
}

/* Those of the journal that the snapshot does not know. */
static void check_appended(lua_State *L, const struct parts *parts)
{
    struct found found;
    lua_pushnil(L);
    while (lua_next(L, parts->appended)) {
        const char *path = lua_tostring(L, -2);
        int64_t length = lua_tointeger(L, -1);
        lua_pop(L, 1);
        if (is_in(L, parts->files, path))
            continue;
        find(L, parts, path, &found);
        check_regular(L, path, &found);
        if (found.size < length)
            filetable_warn(L, CAUSE_REWRITTEN,
                           "%s is %I bytes long, it was %I when the job opened it: the rest is "
                           "lost; see docs/limits.md",
                           path, (LUAI_UACINT)found.size, (LUAI_UACINT)length);
        if (length >= 0 && found.size > length)
            check_access(L, path, &found, W_OK);
    }
}

static int access_of(const char *mode)
{
    int access = filetable_writes(mode) ? W_OK : 0;
    return access | (mode[0] == 'r' || mode[1] == '+' ? R_OK : 0);
}

static _Noreturn void raise_gone(lua_State *L, const char *path)
{
    filetable_raise(L, "%s is gone, the job had it open when the snapshot was saved" WAY_OUT, path);
}

/* The description of a handle is on top of the stack. */
static void check_handle(lua_State *L, const struct parts *parts)
{
    struct found found;
    char mode[4];
    int top = lua_gettop(L);
    if (!lua_istable(L, top) || filetable_mode(string_field(L, top, "mode"), mode) != 0)
        raise_nonsense(L, "mode");
    const char *path = string_field(L, top, "path");
    string_field(L, top, "name");
    string_field(L, top, "buffer");
    integer_field(L, top, "number", 1, 0);
    int64_t position = integer_field(L, top, "position", -1, -1);
    find(L, parts, path, &found);
    /* One that was only read may be a handle that nothing refers to any more: push_reopened tells
     * whether it is asked for. */
    if (!found.there && !filetable_writes(mode))
        return;
    if (!found.there && !found.rewritten)
        raise_gone(L, path);
    if (position >= 0)
        check_regular(L, path, &found);
    if (found.size < position && !found.rewritten && !filetable_writes(mode))
        filetable_raise(L, "%s is %I bytes long, %I were read when the snapshot was saved" WAY_OUT,
                        path, (LUAI_UACINT)found.size, (LUAI_UACINT)position);
    check_access(L, path, &found, access_of(mode));
}

static void check_handles(lua_State *L, const struct parts *parts)
{
    lua_Integer count = (lua_Integer)lua_rawlen(L, parts->handles);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, parts->handles, i);
        check_handle(L, parts);
        lua_pop(L, 1);
    }
}

static int64_t stdin_size(void)
{
    struct stat status;
    if (fstat(STDIN_FILENO, &status) != 0 || !S_ISREG(status.st_mode))
        return -1;
    return status.st_size;
}

static void check_stdin(lua_State *L, int64_t position)
{
    int64_t size = stdin_size();
    if (size < 0 && position > 0)
        filetable_warn(L, CAUSE_STDIN,
                       "stdin was a file of which %I bytes were read, and is none now: it is read "
                       "as it comes",
                       (LUAI_UACINT)position);
    else if (size >= 0 && size < position)
        filetable_raise(L, "stdin is %I bytes long, %I were read when the snapshot was saved",
                        (LUAI_UACINT)size, (LUAI_UACINT)position);
}

/* ------------------------------------------------------------------ changing */

static void cut(lua_State *L, const char *path, const struct found *found, int64_t size)
{
    if (truncate(found->place.absolute, size) != 0)
        filetable_raise_system(L, "cutting %s back to %I bytes failed", path, (LUAI_UACINT)size);
}

static void note_file(lua_State *L, const struct parts *parts, const char *path, int64_t size)
{
    struct found found;
    find(L, parts, path, &found);
    struct file *file = filetable_file(L, &found.place, true);
    file->saved = file->pushed = size;
    if (parts->before != 0)
        file->before = integer_field(L, parts->before, path, FILE_UNKNOWN, FILE_UNKNOWN);
    file->written = true;
    file->rewritten = found.rewritten; /* the journal that was handed over says so */
    lua_pop(L, 1);
}

static void note_files(lua_State *L, const struct parts *parts)
{
    lua_pushnil(L);
    while (lua_next(L, parts->files)) {
        note_file(L, parts, lua_tostring(L, -2), lua_tointeger(L, -1));
        lua_pop(L, 1);
    }
}

static void cut_files(lua_State *L, const struct parts *parts)
{
    struct found found;
    lua_pushnil(L);
    while (lua_next(L, parts->files)) {
        const char *path = lua_tostring(L, -2);
        int64_t size = lua_tointeger(L, -1);
        find(L, parts, path, &found);
        if (is_cut(L, parts, &found, size))
            cut(L, path, &found, size);
        lua_pop(L, 1);
    }
}

static void cut_appended(lua_State *L, const struct parts *parts)
{
    struct found found;
    lua_pushnil(L);
    while (lua_next(L, parts->appended)) {
        const char *path = lua_tostring(L, -2);
        int64_t length = lua_tointeger(L, -1);
        lua_pop(L, 1);
        if (is_in(L, parts->files, path))
            continue;
        find(L, parts, path, &found);
        if (length >= 0 && found.there && found.size > length)
            cut(L, path, &found, length);
        else if (length < 0 && found.there && unlink(found.place.absolute) != 0)
            filetable_raise_system(L, "removing %s, which the job had begun, failed", path);
    }
}

/* The descriptions by number, for filerestore_handle. */
static void note_handles(lua_State *L, const struct parts *parts)
{
    struct filetable *table = filetable_get(L);
    lua_Integer count = (lua_Integer)lua_rawlen(L, parts->handles);
    lua_newtable(L);
    for (lua_Integer i = 1; i <= count; i++) {
        lua_rawgeti(L, parts->handles, i);
        lua_Integer number = integer_field(L, lua_gettop(L), "number", 1, 0);
        lua_rawseti(L, -2, number);
        if (number >= table->next && number < LUA_MAXINTEGER)
            table->next = number + 1;
    }
    filetable_set(L, FILETABLE_RESTORED);
}

/* ------------------------------------------------------------------ handles */

/* Pushes a closed FILE*. */
static luaL_Stream *push_stream(lua_State *L)
{
    luaL_Stream *stream = lua_newuserdatauv(L, sizeof *stream, 0);
    *stream = (luaL_Stream){.f = NULL, .closef = NULL};
    luaL_setmetatable(L, LUA_FILEHANDLE);
    return stream;
}

/* As fopen, but what is there is not emptied, and is made only if `make` is set. */
static FILE *reopen(const char *path, const char *mode, bool make)
{
    int flags = mode[1] == '+' ? O_RDWR : mode[0] == 'r' ? O_RDONLY : O_WRONLY;
    flags |= (mode[0] == 'a' ? O_APPEND : 0) | (make ? O_CREAT : 0);
    int descriptor = open(path, flags, 0666);
    if (descriptor < 0)
        return NULL;
    FILE *file = fdopen(descriptor, mode);
    if (file == NULL) {
        int cause = errno;
        close(descriptor);
        errno = cause;
    }
    return file;
}

static void set_buffer(FILE *stream, const char *buffer)
{
    if (strcmp(buffer, "no") == 0)
        setvbuf(stream, NULL, _IONBF, 0);
    else if (strcmp(buffer, "line") == 0)
        setvbuf(stream, NULL, _IOLBF, BUFSIZ);
}

/* Pushes the FILE* of the checked description at index. */
static void push_reopened(lua_State *L, int index)
{
    struct place place;
    struct handle handle = {.name = string_field(L, index, "name")};
    const char *path = string_field(L, index, "path");
    int64_t position = integer_field(L, index, "position", -1, -1);
    handle.kind = position < 0 ? HANDLE_DEVICE : HANDLE_FILE;
    filetable_mode(string_field(L, index, "mode"), handle.mode);
    paths_find_recorded(&place, filetable_get(L)->start, path);
    struct file *file = filetable_file(L, &place, false);
    luaL_Stream *stream = push_stream(L);
    stream->f = reopen(place.absolute, handle.mode, file != NULL && file->rewritten);
    if (stream->f == NULL && errno == ENOENT)
        raise_gone(L, path);
    if (stream->f == NULL)
        filetable_raise_system(L, "cannot open %s again", path);
    stream->closef = filetable_close;
    set_buffer(stream->f, string_field(L, index, "buffer"));
    if (position >= 0 && fseeko(stream->f, position, SEEK_SET) != 0)
        filetable_raise_system(L, "cannot go to byte %I of %s", (LUAI_UACINT)position, path);
    filetable_add(L, -1, &handle, &place, integer_field(L, index, "number", 1, 0));
    lua_remove(L, -2);
}

/* The number in data, 0 if there is none. */
static lua_Integer read_number(const char *data, size_t size)
{
    lua_Integer number = 0;
    if (size > 18)
        return 0;
    for (size_t i = 0; i < size; i++) {
        if (data[i] < '0' || data[i] > '9')
            return 0;
        number = number * 10 + (data[i] - '0');
    }
    return number;
}

static void push_handle(lua_State *L, lua_Integer number)
{
    filetable_push(L, FILETABLE_RESTORED);
    int type = lua_rawgeti(L, -1, number);
    if (type == LUA_TNIL)
        raise_nonsense(L, "number of a file");
    if (type == LUA_TTABLE) {
        push_reopened(L, lua_gettop(L));
        lua_pushvalue(L, -1);
        lua_rawseti(L, -4, number);
        lua_remove(L, -2);
    }
    lua_remove(L, -2);
}

void filerestore_handle(lua_State *L, const char *data, size_t size)
{
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    if (size == sizeof FILETABLE_CLOSED_NAME - 1 && memcmp(data, FILETABLE_CLOSED_NAME, size) == 0)
        push_stream(L);
    else
        push_handle(L, read_number(data, size));
}

/* ------------------------------------------------------------------ standard streams */

static void push_stderr(lua_State *L)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    lua_getfield(L, -1, LUA_IOLIBNAME);
    lua_getfield(L, -1, "stderr");
    lua_replace(L, -3);
    lua_pop(L, 1);
}

/* Makes what description[name] tells the default file, by io.input or io.output. */
static void restore_default(lua_State *L, int description, const char *name, lua_CFunction function)
{
    lua_Integer number = integer_field(L, description, name, FILETABLE_OWN, FILETABLE_OWN);
    luaL_Stream *closed = NULL;
    if (number == FILETABLE_OWN)
        return;
    lua_pushcfunction(L, function);
    if (number == FILETABLE_STDERR)
        push_stderr(L);
    else if (number != FILETABLE_CLOSED)
        push_handle(L, number);
    else { /* io.output takes no closed file: without a stream none is closed if it raises */
        closed = push_stream(L);
        closed->closef = filetable_close;
    }
    lua_call(L, 1, 1);
    if (closed != NULL)
        closed->closef = NULL;
    lua_pop(L, 1);
}

static void restore_stdin(lua_State *L, int64_t position)
{
    if (stdin_size() < 0)
        return;
    if (fseeko(stdin, position, SEEK_SET) != 0)
        filetable_raise_system(L, "cannot go to byte %I of stdin", (LUAI_UACINT)position);
    filetable_get(L)->stdin_moved = true;
}

static void restore_description(lua_State *L, int description, int64_t position)
{
    struct filetable *table = filetable_get(L);
    int64_t next = integer_field(L, description, "next", 1, 1);
    if (next > table->next)
        table->next = next;
    restore_default(L, description, "input", table->input);
    restore_default(L, description, "output", table->output);
    if (position >= 0)
        restore_stdin(L, position);
}

/* Pushes what the description at index, 0 for none, and the journal tell. */
static struct parts push_parts(lua_State *L, int index, const char *journal)
{
    luaL_checkstack(L, LUA_MINSTACK, NULL);
    struct parts parts = {.description = index == 0 ? 0 : lua_absindex(L, index)};
    if (index != 0 && !lua_istable(L, index))
        raise_nonsense(L, "not a table");
    filejournal_read(L, journal);
    parts.appended = lua_gettop(L);
    parts.rewritten = parts.appended - 1;
    parts.files = push_table_field(L, parts.description, "files");
    parts.handles = push_table_field(L, parts.description, "handles");
    if (index != 0 && lua_getfield(L, parts.description, "before") != LUA_TNIL) {
        if (!lua_istable(L, -1))
            raise_nonsense(L, "before");
        parts.before = lua_gettop(L);
    }
    return parts;
}

void filerestore_cut(lua_State *L, int index, const char *journal)
{
    int top = lua_gettop(L);
    struct parts parts = push_parts(L, index, journal);
    cut_files(L, &parts);
    cut_appended(L, &parts);
    lua_settop(L, top);
}

void filerestore_all(lua_State *L, int index, const char *journal)
{
    int64_t position = -1;
    int top = lua_gettop(L);
    struct parts parts = push_parts(L, index, journal);
    if (index != 0)
        position = integer_field(L, parts.description, "stdin", -1, -1);
    check_files(L, &parts);
    check_appended(L, &parts);
    check_handles(L, &parts);
    check_stdin(L, position);
    note_files(L, &parts);
    note_handles(L, &parts);
    lua_pushstring(L, journal);
    filetable_set(L, FILETABLE_JOURNAL);
    if (index != 0)
        restore_description(L, parts.description, position);
    lua_settop(L, top);
}
