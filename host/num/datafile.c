#include "num/datafile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>

static const char datafile_type[] = "num.datafile";

/* The name of what is written; datafile_push_new has seen to its length. */
static void datafile_temporary(const struct datafile *datafile, char name[DATAFILE_LINE])
{
    snprintf(name, DATAFILE_LINE, "%s.tmp", datafile->name);
}

static int datafile_close(struct datafile *datafile)
{
    int status = fclose(datafile->file);
    datafile->file = NULL;
    return status;
}

/* One that was written and has not replaced NAME is gone. */
static int datafile_collect(lua_State *L)
{
    char temporary[DATAFILE_LINE];
    struct datafile *datafile = lua_touserdata(L, 1);
    if (datafile->file == NULL)
        return 0;
    datafile_close(datafile);
    datafile_temporary(datafile, temporary);
    if (datafile->is_written)
        remove(temporary);
    return 0;
}

void datafile_end(struct datafile *datafile)
{
    datafile_close(datafile);
}

void datafile_open_type(lua_State *L)
{
    luaL_newmetatable(L, datafile_type);
    lua_pushcfunction(L, datafile_collect);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

/* The name is kept as the userdata's value: it has to last as long. */
static struct datafile *datafile_make(lua_State *L, const char *name)
{
    struct datafile *datafile = lua_newuserdatauv(L, sizeof *datafile, 1);
    memset(datafile, 0, sizeof *datafile);
    datafile->name = lua_pushstring(L, name);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, datafile_type);
    return datafile;
}

struct datafile *datafile_push(lua_State *L, const char *name)
{
    struct stat status;
    struct datafile *datafile = datafile_make(L, name);
    datafile->file = fopen(name, "re");
    if (datafile->file == NULL || fstat(fileno(datafile->file), &status) != 0)
        luaL_error(L, "%s: %s", name, strerror(errno));
    if (!S_ISREG(status.st_mode))
        luaL_error(L, "%s: not a regular file", name);
    datafile->size = status.st_size;
    return datafile;
}

const char *datafile_line(lua_State *L, struct datafile *datafile)
{
    char *text = datafile->text;
    datafile->line++;
    if (fgets(text, sizeof datafile->text, datafile->file) == NULL) {
        if (ferror(datafile->file))
            datafile_fail(L, datafile, "%s", strerror(errno));
        return NULL;
    }
    size_t length = strlen(text);
    if (length == sizeof datafile->text - 1 && text[length - 1] != '\n')
        datafile_fail(L, datafile, "the line is longer than %d bytes", DATAFILE_LINE - 2);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    return text;
}

void datafile_read(lua_State *L, struct datafile *datafile, void *to, size_t size)
{
    size_t count = fread(to, 1, size, datafile->file);
    datafile->offset += (int64_t)count;
    if (count < size)
        datafile_fail_here(L, datafile,
                           ferror(datafile->file) ? strerror(errno) : "the file ends too early");
}

_Noreturn void datafile_fail_here(lua_State *L, const struct datafile *datafile,
                                  const char *message)
{
    luaL_error(L, "%s: at byte %I: %s", datafile->name, (lua_Integer)datafile->offset, message);
    abort(); /* not reached */
}

_Noreturn void datafile_fail(lua_State *L, const struct datafile *datafile, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    luaL_error(L, "%s:%I: %s", datafile->name, (lua_Integer)datafile->line, message);
    abort(); /* not reached */
}

struct datafile *datafile_push_new(lua_State *L, const char *name)
{
    char temporary[DATAFILE_LINE];
    struct datafile *datafile = datafile_make(L, name);
    luaL_argcheck(L, strlen(name) < sizeof temporary - sizeof ".tmp", 1, "the name is too long");
    datafile_temporary(datafile, temporary);
    datafile->is_written = 1;
    datafile->file = fopen(temporary, "we");
    if (datafile->file == NULL)
        luaL_error(L, "%s: %s", temporary, strerror(errno));
    errno = 0;
    return datafile;
}

void datafile_replace(lua_State *L, struct datafile *datafile)
{
    char temporary[DATAFILE_LINE];
    /* What was written before has left its error; the rest of it is written now. */
    int failed = ferror(datafile->file) || fflush(datafile->file) != 0, number = errno;
    datafile_temporary(datafile, temporary);
    if ((datafile_close(datafile) != 0 || (!failed && rename(temporary, datafile->name) != 0)) &&
        !failed) {
        failed = 1;
        number = errno;
    }
    if (!failed)
        return;
    remove(temporary);
    luaL_error(L, "cannot write %s: %s", datafile->name, strerror(number));
}
