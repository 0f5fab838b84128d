#include "job/iolib.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>

#include "job/filejournal.h"
#include "job/filetable.h"

/* The stock function is upvalue 1 of its replacement; it has no upvalues itself. */
static int call_stock(lua_State *L)
{
    return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Pushes " (job.lua:12)" for the Lua function that called the replacement, or "". */
static const char *push_caller(lua_State *L)
{
    lua_Debug caller;
    if (lua_getstack(L, 1, &caller) && lua_getinfo(L, "Sl", &caller) && caller.currentline > 0)
        return lua_pushfstring(L, " (%s:%d)", caller.short_src, caller.currentline);
    return lua_pushliteral(L, "");
}

static void warn_undoable(lua_State *L, enum filetable_cause cause, const char *function,
                          const char *consequence)
{
    if ((filetable_get(L)->warned & 1U << cause) != 0)
        return;
    int own = filetable_begin_own(L);
    filetable_warn(L, cause, "%s%s cannot be undone: %s; see docs/limits.md", function,
                   push_caller(L), consequence);
    lua_pop(L, 1);
    filetable_end_own(L, own);
}

static void warn_overwriting(lua_State *L, const char *name, int64_t bytes)
{
    if ((filetable_get(L)->warned & 1U << CAUSE_OVERWRITE) != 0)
        return;
    int own = filetable_begin_own(L);
    filetable_warn(L, CAUSE_OVERWRITE,
                   "overwriting the %I bytes of %s%s cannot be undone: a job that continues from "
                   "before it does not find them again; see docs/limits.md",
                   (LUAI_UACINT)bytes, name, push_caller(L));
    lua_pop(L, 1);
    filetable_end_own(L, own);
}

/* ------------------------------------------------------------------ opening by name */

/* One opening, from before it to after it. On the C stack, as the stock function may raise. */
struct opening {
    bool known; /* name and mode make sense */
    bool device;
    char mode[4];
    char name[PATH_MAX];
    struct place place;
};

/* Names that are regular files now and something else in another process. */
static bool is_alias(const char *path)
{
    return strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/dev/fd/", 8) == 0 ||
           strncmp(path, "/dev/std", 8) == 0;
}

/* What the journal must know before the file is opened. */
static void announce(lua_State *L, const struct opening *opening, struct file *file, bool there,
                     int64_t length)
{
    int64_t recorded = filetable_recorded(file);
    if (!there)
        file->entered = true;
    if (opening->mode[0] == 'w' && recorded > 0) {
        warn_overwriting(L, opening->name, recorded);
        filejournal_rewrite(L, file);
    } else if (opening->mode[0] == 'w') {
        file->known = true; /* whoever redoes this truncates it again */
    } else if (there || opening->mode[0] == 'a') {
        if (opening->mode[0] == 'r' && length > 0)
            warn_overwriting(L, opening->name, length);
        filejournal_grow(L, file, there ? length : -1);
    }
}

static void before(lua_State *L, struct opening *opening, const char *name, const char *mode)
{
    struct stat status;
    opening->known = name != NULL && strlen(name) < PATH_MAX &&
                     filetable_mode(mode, opening->mode) == 0 &&
                     paths_find(&opening->place, filetable_get(L)->start, name) == 0;
    if (!opening->known)
        return;
    strcpy(opening->name, name);
    bool there = stat(opening->place.absolute, &status) == 0;
    opening->device = is_alias(opening->place.absolute) || (there && !S_ISREG(status.st_mode));
    if (opening->device || !filetable_writes(opening->mode) || (!there && opening->mode[0] == 'r'))
        return;
    struct file *file = filetable_file(L, &opening->place, true);
    announce(L, opening, file, there, there ? status.st_size : 0);
    lua_pop(L, 1);
}

static enum handle_kind kind_of(FILE *stream, bool device)
{
    struct stat status;
    if (fstat(fileno(stream), &status) == 0 &&
        (S_ISFIFO(status.st_mode) || S_ISSOCK(status.st_mode)))
        return HANDLE_NAMED_PIPE;
    return device ? HANDLE_DEVICE : HANDLE_FILE;
}

/* The FILE* is on top of the stack. */
static void after(lua_State *L, const struct opening *opening)
{
    luaL_Stream *stream = luaL_testudata(L, -1, LUA_FILEHANDLE);
    if (!opening->known || stream == NULL || stream->closef == NULL)
        return;
    struct handle handle = {.kind = kind_of(stream->f, opening->device), .name = opening->name};
    memcpy(handle.mode, opening->mode, sizeof handle.mode);
    filetable_add(L, -1, &handle, &opening->place, 0);
    struct file *file = filetable_file_of(L, -1);
    stream->closef = filetable_close;
    if (file == NULL)
        return;
    file->written = file->dirty = true;
    if (opening->mode[0] == 'w')
        file->lost = false; /* it begins anew */
}

/* lua_tostring changes a number in place, as the stock functions do. */
static const char *name_argument(lua_State *L, int index)
{
    return lua_isstring(L, index) ? lua_tostring(L, index) : NULL;
}

static int replaced_open(lua_State *L)
{
    struct opening opening;
    const char *mode = lua_isnoneornil(L, 2) ? "r" : name_argument(L, 2);
    before(L, &opening, name_argument(L, 1), mode != NULL ? mode : "");
    int count = call_stock(L);
    if (count == 1)
        after(L, &opening);
    return count;
}

/* io.input, io.output */
static int open_default(lua_State *L, const char *mode)
{
    struct opening opening;
    const char *name = name_argument(L, 1);
    if (name == NULL)
        return call_stock(L);
    before(L, &opening, name, mode);
    int count = call_stock(L);
    after(L, &opening);
    return count;
}

static int replaced_input(lua_State *L)
{
    return open_default(L, "r");
}

static int replaced_output(lua_State *L)
{
    return open_default(L, "w");
}

static int replaced_lines(lua_State *L)
{
    struct opening opening;
    before(L, &opening, name_argument(L, 1), "r");
    int count = call_stock(L);
    if (count == 4) /* the last one is the file, to be closed by the for loop */
        after(L, &opening);
    return count;
}

static int replaced_popen(lua_State *L)
{
    int count = call_stock(L);
    struct handle handle = {.kind = HANDLE_PIPE, .mode = "r", .name = ""};
    if (count == 1)
        filetable_add(L, -1, &handle, NULL, 0);
    warn_undoable(L, CAUSE_POPEN, "io.popen",
                  "the command runs again in a job that continues from before it");
    return count;
}

static int replaced_tmpfile(lua_State *L)
{
    int count = call_stock(L);
    struct handle handle = {.kind = HANDLE_TEMPORARY, .mode = "w+b", .name = ""};
    if (count == 1)
        filetable_add(L, -1, &handle, NULL, 0);
    return count;
}

/* ------------------------------------------------------------------ what cannot be undone */

/* Pushes the file the job wrote by that name, or nil. */
static struct file *written_file(lua_State *L, const char *name, struct place *place)
{
    if (name != NULL && paths_find(place, filetable_get(L)->start, name) == 0)
        return filetable_file(L, place, false);
    lua_pushnil(L);
    return NULL;
}

/* A file is about to be removed or replaced. Pushes it, or nil. */
static struct file *lose(lua_State *L, const char *name, struct place *place)
{
    struct file *file = written_file(L, name, place);
    if (file != NULL && (file->saved >= 0 || file->pushed >= 0))
        filejournal_rewrite(L, file);
    return file;
}

static int replaced_remove(lua_State *L)
{
    struct place place;
    lose(L, name_argument(L, 1), &place);
    lua_pop(L, 1);
    int count = call_stock(L);
    if (lua_toboolean(L, -count))
        warn_undoable(L, CAUSE_REMOVE, "os.remove",
                      "a job that continues from before it does not find the file again");
    return count;
}

/* The bytes that the job wrote have a new name: they are to be synced and cut back there. */
static void move(lua_State *L, const struct place *to)
{
    struct file *file = filetable_file(L, to, true);
    file->written = file->dirty = file->entered = true;
    lua_pop(L, 1);
}

static int replaced_rename(lua_State *L)
{
    struct place from, to;
    const char *name = name_argument(L, 2);
    struct file *moved = lose(L, name_argument(L, 1), &from);
    bool written = moved != NULL && moved->written;
    lose(L, name, &to);
    lua_pop(L, 2);
    int count = call_stock(L);
    if (!lua_toboolean(L, -count))
        return count;
    if (written && paths_find(&to, filetable_get(L)->start, name) == 0)
        move(L, &to);
    warn_undoable(L, CAUSE_RENAME, "os.rename",
                  "a job that continues from before it finds the file under its new name");
    return count;
}

static int replaced_execute(lua_State *L)
{
    bool runs = !lua_isnoneornil(L, 1);
    int count = call_stock(L);
    if (runs)
        warn_undoable(L, CAUSE_EXECUTE, "os.execute",
                      "the command runs again in a job that continues from before it");
    return count;
}

static int replaced_tmpname(lua_State *L)
{
    int count = call_stock(L);
    warn_undoable(L, CAUSE_TMPNAME, "os.tmpname",
                  "a job that continues from before it gets another name");
    return count;
}

/* ------------------------------------------------------------------ */

/* library[name] = replacement(library[name]), for the library on top of the stack. */
static void replace(lua_State *L, const char *name, lua_CFunction replacement)
{
    lua_getfield(L, -1, name);
    if (!lua_iscfunction(L, -1) || lua_getupvalue(L, -1, 1) != NULL)
        filetable_raise(L, "the function '%s' is not the one of Lua's own library", name);
    lua_pushcclosure(L, replacement, 1);
    lua_setfield(L, -2, name);
}

static void replace_all(lua_State *L, const char *library, const luaL_Reg *list)
{
    luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
    if (lua_getfield(L, -1, library) != LUA_TTABLE)
        filetable_raise(L, "the library '%s' is not open", library);
    for (; list->name != NULL; list++)
        replace(L, list->name, list->func);
    lua_pop(L, 2);
}

void iolib_open(lua_State *L)
{
    static const luaL_Reg io[] = {{"open", replaced_open},
                                  {"input", replaced_input},
                                  {"output", replaced_output},
                                  {"lines", replaced_lines},
                                  {"popen", replaced_popen},
                                  {"tmpfile", replaced_tmpfile},
                                  {NULL, NULL}};
    static const luaL_Reg os[] = {{"remove", replaced_remove},
                                  {"rename", replaced_rename},
                                  {"execute", replaced_execute},
                                  {"tmpname", replaced_tmpname},
                                  {NULL, NULL}};
    replace_all(L, "io", io);
    replace_all(L, "os", os);
}
