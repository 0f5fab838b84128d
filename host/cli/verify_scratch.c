#include "cli/verify_scratch.h"

#include <errno.h>
#include <fcntl.h>
#include <fts.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#define SCRATCH_TYPE "ckptlua verify scratch"

struct scratch {
    char *path; /* for free(); NULL when there is none */
    int keep;
};

static struct scratch *verify_scratch_check(lua_State *L)
{
    return luaL_checkudata(L, 1, SCRATCH_TYPE);
}

/* ---------------------------------------------------------------- removing */

static void verify_scratch_remove_entry(const FTSENT *entry)
{
    switch (entry->fts_info) {
    case FTS_D: /* a job may have made folders that it cannot write to itself */
        chmod(entry->fts_accpath, 0700);
        break;
    case FTS_DP:
        rmdir(entry->fts_accpath);
        break;
    default:
        unlink(entry->fts_accpath);
    }
}

static void verify_scratch_remove(char *path)
{
    char *const paths[] = {path, NULL};
    const FTSENT *entry;
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR | FTS_NOSTAT, NULL);
    if (tree == NULL)
        return;
    while ((entry = fts_read(tree)) != NULL)
        verify_scratch_remove_entry(entry);
    fts_close(tree);
}

/* scratch:__gc() */
static int verify_scratch_forget(lua_State *L)
{
    struct scratch *scratch = verify_scratch_check(L);
    if (scratch->path != NULL && !scratch->keep)
        verify_scratch_remove(scratch->path);
    free(scratch->path);
    scratch->path = NULL;
    return 0;
}

/* ---------------------------------------------------------------- making */

static int verify_scratch_path(lua_State *L)
{
    lua_pushstring(L, verify_scratch_check(L)->path);
    return 1;
}

static int verify_scratch_keep(lua_State *L)
{
    verify_scratch_check(L)->keep = 1;
    return 0;
}

static void verify_scratch_set_type(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"path", verify_scratch_path}, {"keep", verify_scratch_keep}, {NULL, NULL}};
    if (luaL_newmetatable(L, SCRATCH_TYPE)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, verify_scratch_forget);
        lua_setfield(L, -2, "__gc");
    }
    lua_setmetatable(L, -2);
}

int verify_scratch_new(lua_State *L)
{
    const char *parent = getenv("TMPDIR");
    char *template = NULL;
    struct scratch *scratch = lua_newuserdatauv(L, sizeof *scratch, 0);
    *scratch = (struct scratch){NULL, 0};
    verify_scratch_set_type(L);
    if (parent == NULL || *parent == '\0')
        parent = "/tmp";
    if (asprintf(&template, "%s/ckptlua-verify.XXXXXX", parent) < 0)
        return luaL_error(L, "out of memory");
    scratch->path = mkdtemp(template) != NULL ? realpath(template, NULL) : NULL;
    int problem = errno;
    free(template);
    if (scratch->path == NULL)
        return luaL_error(L,
                          "cannot make a scratch directory in %s: %s; TMPDIR names another place",
                          parent, strerror(problem));
    return 1;
}

/* ---------------------------------------------------------------- looking */

static lua_Integer verify_scratch_moment(const struct timespec *time)
{
    return (lua_Integer)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* When a file is changed now, as the file system sees it: its clock may go in steps of ms. */
static lua_Integer verify_scratch_touch(const char *file)
{
    struct stat status;
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int known = fd >= 0 && write(fd, "x", 1) == 1 && fstat(fd, &status) == 0;
    if (fd >= 0)
        close(fd);
    unlink(file);
    return known ? verify_scratch_moment(&status.st_ctim) : -1;
}

int verify_scratch_stamp(lua_State *L)
{
    enum { PATIENCE = 3000 }; /* ms: of file systems that count whole seconds */
    const char *file = lua_pushfstring(L, "%s/stamp", luaL_checkstring(L, 1));
    lua_Integer before = verify_scratch_touch(file), now = before;
    for (int i = 0; i < PATIENCE && now >= 0 && now <= before; i++) {
        (void)usleep(1000);
        now = verify_scratch_touch(file);
    }
    if (now < 0)
        return luaL_error(L, "cannot write %s: %s", file, strerror(errno));
    lua_pushinteger(L, before);
    return 1;
}

static const char *verify_scratch_kind(const struct stat *status)
{
    return S_ISREG(status->st_mode)   ? "file"
           : S_ISDIR(status->st_mode) ? "folder"
           : S_ISLNK(status->st_mode) ? "link"
                                      : "other";
}

/* Pushes what is told of one entry. */
static void verify_scratch_push(lua_State *L, const FTSENT *entry)
{
    char target[4096];
    const struct stat *status = entry->fts_statp;
    lua_createtable(L, 0, 5);
    lua_pushstring(L, verify_scratch_kind(status));
    lua_setfield(L, -2, "kind");
    lua_pushinteger(L, status->st_size);
    lua_setfield(L, -2, "size");
    lua_pushinteger(L, status->st_mode & 07777);
    lua_setfield(L, -2, "mode");
    lua_pushinteger(L, verify_scratch_moment(&status->st_ctim));
    lua_setfield(L, -2, "changed");
    if (S_ISLNK(status->st_mode)) {
        ssize_t length = readlink(entry->fts_accpath, target, sizeof target);
        lua_pushlstring(L, target, length > 0 ? (size_t)length : 0);
        lua_setfield(L, -2, "target");
    }
}

/* The tree must be closed whatever is raised: (tree, length of the root's name) */
static int verify_scratch_read(lua_State *L)
{
    FTS *tree = lua_touserdata(L, 1);
    size_t skip = (size_t)lua_tointeger(L, 2) + 1;
    FTSENT *entry;
    lua_newtable(L);
    while ((entry = fts_read(tree)) != NULL) {
        if (entry->fts_level == 0 || entry->fts_info == FTS_DP || entry->fts_info == FTS_NS ||
            entry->fts_info == FTS_ERR)
            continue;
        lua_pushstring(L, entry->fts_path + skip);
        verify_scratch_push(L, entry);
        lua_rawset(L, -3);
    }
    return 1;
}

int verify_scratch_list(lua_State *L)
{
    size_t length;
    const char *folder = luaL_checklstring(L, 1, &length);
    char *const paths[] = {(char *)(uintptr_t)folder, NULL};
    luaL_checkstack(L, 8, NULL);
    lua_pushcfunction(L, verify_scratch_read);
    FTS *tree = fts_open(paths, FTS_PHYSICAL | FTS_NOCHDIR, NULL);
    if (tree == NULL)
        return luaL_error(L, "cannot read %s: %s", folder, strerror(errno));
    lua_pushlightuserdata(L, tree);
    lua_pushinteger(L, (lua_Integer)length);
    int status = lua_pcall(L, 2, 1, 0);
    fts_close(tree);
    return status == LUA_OK ? 1 : lua_error(L);
}
