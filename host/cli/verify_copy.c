#include "cli/verify_copy.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <lauxlib.h>

#include "cli/verify_wait.h"

enum { PIECE = 1 << 16, LARGEST_PIECE = 1 << 30 };

enum { COPY_DONE, COPY_TOO_MUCH, COPY_STOPPED, COPY_FAILED };

struct copy {
    char *root;            /* the folder out of which no link may lead, real path */
    int dry;               /* only counts */
    long long bytes, most; /* so far, and allowed */
    dev_t but_device;      /* of the folder that is left out */
    ino_t but_inode;       /* 0: none */
    int stopped;           /* the signal */
    char problem[512];     /* why it has failed */
};

/* A folder that is being copied, and those it is in. */
struct level {
    const struct level *above;
    dev_t device;
    ino_t inode;
    int depth; /* below the root */
};

static int verify_copy_failed(struct copy *copy, const char *what, const char *path)
{
    snprintf(copy->problem, sizeof copy->problem, "cannot %s %s: %s", what, path, strerror(errno));
    return COPY_FAILED;
}

/* ---------------------------------------------------------------- files */

static int verify_copy_by_hand(int from, int to)
{
    char piece[PIECE];
    ssize_t got;
    while ((got = read(from, piece, sizeof piece)) > 0)
        for (ssize_t done = 0; done < got;) {
            ssize_t put = write(to, piece + done, (size_t)(got - done));
            if (put < 0)
                return -1;
            done += put;
        }
    return got == 0 ? 0 : -1;
}

static int verify_copy_bytes(int from, int to)
{
    if (ioctl(to, FICLONE, from) == 0)
        return 0;
    while (copy_file_range(from, NULL, to, NULL, LARGEST_PIECE, 0) > 0)
        continue;
    /* What has been copied by then has moved both offsets; 0 may be said of files that have no
     * length, as those of /proc. */
    return verify_copy_by_hand(from, to);
}

static int verify_copy_file_to(struct copy *copy, const char *from, const char *to,
                               const struct stat *status)
{
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    int code = COPY_DONE;
    int in = open(from, O_RDONLY | O_CLOEXEC);
    if (in < 0)
        return verify_copy_failed(copy, "read", from);
    int out = open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0 || verify_copy_bytes(in, out) != 0 || fchmod(out, status->st_mode & 07777) != 0)
        code = verify_copy_failed(copy, "copy", from);
    if (out >= 0) {
        futimens(out, times);
        close(out);
    }
    close(in);
    return code;
}

static int verify_copy_file(struct copy *copy, const char *from, const char *to,
                            const struct stat *status)
{
    copy->bytes += status->st_size;
    if (copy->bytes > copy->most)
        return COPY_TOO_MUCH;
    return copy->dry ? COPY_DONE : verify_copy_file_to(copy, from, to, status);
}

/* ---------------------------------------------------------------- links */

static int verify_copy_is_below(const char *root, const char *path)
{
    size_t length = strcmp(root, "/") == 0 ? 0 : strlen(root);
    return strncmp(path, root, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

/* Whether a link's text, read in a folder of that depth, goes above the root on its way. */
static int verify_copy_goes_out(const char *target, int depth)
{
    if (*target == '/')
        return 1;
    while (*target != '\0') {
        size_t length = strcspn(target, "/");
        if (length == 2 && strncmp(target, "..", 2) == 0)
            depth--;
        else if (length > 0 && !(length == 1 && *target == '.'))
            depth++;
        if (depth < 0)
            return 1;
        target += length + (target[length] == '/');
    }
    return 0;
}

static int verify_copy_any(struct copy *copy, const char *from, const char *to,
                           const struct level *level);
static int verify_copy_resolved(struct copy *copy, const char *from, const char *to,
                                const struct stat *status, const struct level *level);

/* What a link leads to, in its place. A folder that is being copied already, or contains all that
 * is, is left out: it would have no end. */
static int verify_copy_behind(struct copy *copy, const char *from, const char *real, const char *to,
                              const struct level *level)
{
    struct stat status;
    if (real == NULL || stat(from, &status) != 0 || verify_copy_is_below(real, copy->root))
        return COPY_DONE;
    for (const struct level *at = level; at != NULL; at = at->above)
        if (at->device == status.st_dev && at->inode == status.st_ino)
            return COPY_DONE;
    return verify_copy_resolved(copy, from, to, &status, level);
}

static int verify_copy_link(struct copy *copy, const char *from, const char *to,
                            const struct level *level)
{
    char target[4096];
    ssize_t length = readlink(from, target, sizeof target - 1);
    if (length < 0)
        return verify_copy_failed(copy, "read", from);
    target[length] = '\0';
    char *real = realpath(from, NULL); /* NULL: there is nothing */
    int inside = !verify_copy_goes_out(target, level->depth) &&
                 (real == NULL || verify_copy_is_below(copy->root, real));
    int code = COPY_DONE;
    if (!inside)
        code = verify_copy_behind(copy, from, real, to, level);
    else if (!copy->dry && symlink(target, to) != 0)
        code = verify_copy_failed(copy, "make", to);
    free(real);
    return code;
}

/* ---------------------------------------------------------------- folders */

static int verify_copy_entry(struct copy *copy, const char *from, const char *to, const char *name,
                             const struct level *level)
{
    char *source = NULL, *target = NULL;
    int code = COPY_FAILED;
    if (asprintf(&source, "%s/%s", from, name) < 0)
        source = NULL;
    if (source != NULL && asprintf(&target, "%s/%s", to, name) < 0)
        target = NULL;
    if (target != NULL)
        code = verify_copy_any(copy, source, target, level);
    else
        snprintf(copy->problem, sizeof copy->problem, "out of memory");
    free(source);
    free(target);
    return code;
}

static int verify_copy_entries(struct copy *copy, const char *from, const char *to,
                               const struct level *level)
{
    int code = COPY_DONE;
    const struct dirent *entry;
    DIR *folder = opendir(from);
    if (folder == NULL)
        return verify_copy_failed(copy, "read", from);
    while (code == COPY_DONE && (entry = readdir(folder)) != NULL)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            code = verify_copy_entry(copy, from, to, entry->d_name, level);
    closedir(folder);
    return code;
}

static int verify_copy_folder(struct copy *copy, const char *from, const char *to,
                              const struct stat *status, const struct level *above)
{
    const struct timespec times[2] = {status->st_atim, status->st_mtim};
    struct level level = {above, status->st_dev, status->st_ino,
                          above == NULL ? 0 : above->depth + 1};
    if (copy->but_inode == status->st_ino && copy->but_device == status->st_dev)
        return COPY_DONE;
    if (!copy->dry && mkdir(to, 0700) != 0 && errno != EEXIST)
        return verify_copy_failed(copy, "make", to);
    int code = verify_copy_entries(copy, from, to, &level);
    if (code == COPY_DONE && !copy->dry && chmod(to, status->st_mode & 07777) != 0)
        code = verify_copy_failed(copy, "make", to);
    if (!copy->dry)
        utimensat(AT_FDCWD, to, times, 0);
    return code;
}

/* ---------------------------------------------------------------- the whole */

static int verify_copy_resolved(struct copy *copy, const char *from, const char *to,
                                const struct stat *status, const struct level *level)
{
    if (S_ISREG(status->st_mode))
        return verify_copy_file(copy, from, to, status);
    if (S_ISDIR(status->st_mode))
        return verify_copy_folder(copy, from, to, status, level);
    return COPY_DONE;
}

static int verify_copy_any(struct copy *copy, const char *from, const char *to,
                           const struct level *level)
{
    struct stat status;
    copy->stopped = verify_wait_for(0);
    if (copy->stopped != 0)
        return COPY_STOPPED;
    /* What is named by the user is meant as what it leads to. */
    if ((level == NULL ? stat : lstat)(from, &status) != 0)
        return verify_copy_failed(copy, "read", from);
    if (S_ISLNK(status.st_mode) && level != NULL)
        return verify_copy_link(copy, from, to, level);
    return verify_copy_resolved(copy, from, to, &status, level);
}

/* Makes the folders in which `to` is to be. */
static int verify_copy_make_folders(struct copy *copy, const char *to)
{
    char *path = strdup(to);
    int code = COPY_DONE;
    if (path == NULL)
        return verify_copy_failed(copy, "make", to);
    for (char *slash = strchr(path + 1, '/'); slash != NULL && code == COPY_DONE;
         slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(path, 0777) != 0 && errno != EEXIST)
            code = verify_copy_failed(copy, "make", path);
        *slash = '/';
    }
    free(path);
    return code;
}

static void verify_copy_leave_out(struct copy *copy, const char *but)
{
    struct stat status;
    if (but == NULL || stat(but, &status) != 0)
        return;
    copy->but_device = status.st_dev;
    copy->but_inode = status.st_ino;
}

int verify_copy_tree(lua_State *L)
{
    struct copy copy = {.bytes = 0};
    const char *from = luaL_checkstring(L, 1), *to = luaL_optstring(L, 2, NULL);
    copy.most = luaL_optinteger(L, 3, LUA_MAXINTEGER);
    verify_copy_leave_out(&copy, luaL_optstring(L, 4, NULL));
    copy.dry = to == NULL;
    copy.root = realpath(from, NULL);
    int code = COPY_DONE;
    if (copy.root == NULL)
        code = verify_copy_failed(&copy, "read", from);
    else if (!copy.dry)
        code = verify_copy_make_folders(&copy, to);
    if (code == COPY_DONE)
        code = verify_copy_any(&copy, from, copy.dry ? "" : to, NULL);
    free(copy.root);
    if (code == COPY_FAILED)
        return luaL_error(L, "%s", copy.problem);
    if (code == COPY_STOPPED) {
        lua_createtable(L, 0, 1);
        lua_pushinteger(L, copy.stopped);
        lua_setfield(L, -2, "stopped");
        return lua_error(L);
    }
    if (code == COPY_TOO_MUCH)
        lua_pushnil(L);
    else
        lua_pushinteger(L, copy.bytes);
    return 1;
}

int verify_copy_place(lua_State *L)
{
    const char *file = luaL_checkstring(L, 1);
    char real[PATH_MAX], here[PATH_MAX];
    int results = 1;
    if (access(file, F_OK) != 0 || realpath(file, real) == NULL || realpath(".", here) == NULL) {
        lua_pushnil(L);
        return 1;
    }
    if (!verify_copy_goes_out(file, 0)) {
        lua_pushstring(L, file);
    } else if (verify_copy_is_below(here, real)) {
        lua_pushstring(L, real[strlen(here)] == '\0' ? "." : real + strlen(here) + 1);
    } else {
        lua_pushnil(L);
        lua_pushstring(L, real);
        results = 2;
    }
    return results;
}
