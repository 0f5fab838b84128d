#include "cli/export.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/tool.h"

#define OUTPUT_TYPE "ckptlua export output"

/* A file that is being written, in the directory of its target and without a name, so that nothing
 * is left behind whatever ends the process; where the file system cannot do that, named. */
struct output {
    FILE *stream;  /* NULL when closed */
    char *file;    /* as the user calls it; for free() */
    char *target;  /* where it is, links followed; for free() */
    char *partial; /* the name until the end; for free() */
    int named;     /* a file called `partial` is there */
};

static int export_raise(lua_State *L, const char *file)
{
    int problem = errno;
    lua_pushfstring(L, "cannot write %s: %s", file, strerror(problem));
    return lua_error(L);
}

static struct output *export_check_output(lua_State *L)
{
    return luaL_checkudata(L, 1, OUTPUT_TYPE);
}

/* output:__gc(), also what gives up an output that was not committed */
static int export_discard(lua_State *L)
{
    struct output *output = export_check_output(L);
    if (output->stream != NULL)
        fclose(output->stream);
    if (output->named)
        unlink(output->partial);
    free(output->file);
    free(output->target);
    free(output->partial);
    *output = (struct output){0};
    return 0;
}

/* Directory of a file, for free(). */
static char *export_directory(const char *file)
{
    const char *slash = strrchr(file, '/');
    if (slash == NULL)
        return strdup(".");
    return slash == file ? strdup("/") : strndup(file, (size_t)(slash - file));
}

static int export_open_unnamed(const char *target)
{
    /* Its name is given to it by way of /proc. */
    char *directory = access("/proc/self/fd", X_OK) == 0 ? export_directory(target) : NULL;
    int fd = directory != NULL ? open(directory, O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666) : -1;
    free(directory);
    return fd;
}

static int export_open_named(struct output *output)
{
    int fd = open(output->partial, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
    output->named = fd >= 0;
    return fd;
}

/* Where the bytes go in the end: a symbolic link stays one. */
static int export_name_output(struct output *output, const char *file, int exists)
{
    output->file = strdup(file);
    output->target = exists ? realpath(file, NULL) : strdup(file);
    if (output->file == NULL || output->target == NULL)
        return -1;
    return asprintf(&output->partial, "%s.tmp%ld", output->target, (long)getpid()) < 0 ? -1 : 0;
}

/* Refuses what a renamed file must not replace. */
static void export_check_target(lua_State *L, const char *file, const struct stat *status)
{
    if (!S_ISREG(status->st_mode)) {
        lua_pushfstring(L, "cannot write %s: it is %s", file,
                        S_ISDIR(status->st_mode) ? "a directory" : "not a regular file");
        lua_error(L);
    }
    if (access(file, W_OK) != 0)
        export_raise(L, file);
}

/* create(file): output */
static int export_create(lua_State *L)
{
    const char *file = luaL_checkstring(L, 1);
    struct stat status;
    int exists = stat(file, &status) == 0;
    if (exists)
        export_check_target(L, file, &status);
    struct output *output = lua_newuserdatauv(L, sizeof *output, 0);
    *output = (struct output){0};
    luaL_setmetatable(L, OUTPUT_TYPE);
    if (export_name_output(output, file, exists) != 0)
        return export_raise(L, file);
    int fd = export_open_unnamed(output->target);
    if (fd < 0)
        fd = export_open_named(output);
    if (fd < 0)
        return export_raise(L, file);
    output->stream = fdopen(fd, "w");
    if (output->stream == NULL) {
        close(fd);
        return export_raise(L, file);
    }
    if (exists && fchmod(fd, status.st_mode & 07777) != 0)
        return export_raise(L, file);
    return 1;
}

/* output:write(text, ...) */
static int export_write(lua_State *L)
{
    struct output *output = export_check_output(L);
    luaL_argcheck(L, output->stream != NULL, 1, "closed");
    int last = lua_gettop(L);
    for (int i = 2; i <= last; i++) {
        size_t size;
        const char *text = luaL_checklstring(L, i, &size);
        if (fwrite(text, 1, size, output->stream) != size)
            return export_raise(L, output->file);
    }
    return 0;
}

static int export_close(struct output *output)
{
    FILE *stream = output->stream;
    char descriptor[64];
    snprintf(descriptor, sizeof descriptor, "/proc/self/fd/%d", fileno(stream));
    if (fflush(stream) != 0 || fsync(fileno(stream)) != 0)
        return -1;
    if (!output->named) {
        if (linkat(AT_FDCWD, descriptor, AT_FDCWD, output->partial, AT_SYMLINK_FOLLOW) != 0)
            return -1;
        output->named = 1;
    }
    output->stream = NULL;
    return fclose(stream);
}

static void export_sync_directory(const char *file)
{
    char *directory = export_directory(file);
    int fd = directory != NULL ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    free(directory);
    if (fd < 0)
        return;
    /* The file itself is complete and in place: not every file system can do this. */
    fsync(fd);
    close(fd);
}

/* output:commit() */
static int export_commit(lua_State *L)
{
    struct output *output = export_check_output(L);
    luaL_argcheck(L, output->stream != NULL, 1, "closed");
    if (export_close(output) != 0 || rename(output->partial, output->target) != 0)
        return export_raise(L, output->file);
    output->named = 0;
    export_sync_directory(output->target);
    return 0;
}

/* same(file, other): boolean */
static int export_same(lua_State *L)
{
    struct stat one, other;
    int both = stat(luaL_checkstring(L, 1), &one) == 0 && stat(luaL_checkstring(L, 2), &other) == 0;
    lua_pushboolean(L, both && one.st_dev == other.st_dev && one.st_ino == other.st_ino);
    return 1;
}

/* create_output(file): output; makes the type when first called */
static int export_create_output(lua_State *L)
{
    static const luaL_Reg methods[] = {
        {"write", export_write}, {"commit", export_commit}, {NULL, NULL}};
    if (luaL_newmetatable(L, OUTPUT_TYPE)) {
        luaL_newlib(L, methods);
        lua_setfield(L, -2, "__index");
        lua_pushcfunction(L, export_discard);
        lua_setfield(L, -2, "__gc");
    }
    lua_pop(L, 1);
    return export_create(L);
}

int export_main(int argc, char *argv[])
{
    static const luaL_Reg functions[] = {
        {"create", export_create_output}, {"same", export_same}, {NULL, NULL}};
    static const ckptlua_option options[] = {
        {"help", NULL, "print the usage and exit"},
        {NULL, NULL, NULL},
    };
    static const struct tool tool = {
        .name = "export",
        .options = options,
        .functions = functions,
        .usage = "ckptlua export FILE OUT.json|OUT.msgpack",
    };
    return tool_main(&tool, argc, argv);
}
