#include "num/textfile.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <lauxlib.h>

static const char textfile_type[] = "num.textfile";

/* The name of what is written; textfile_push_new has seen to its length. */
static void textfile_temporary(const struct textfile *textfile, char name[TEXTFILE_LINE])
{
    snprintf(name, TEXTFILE_LINE, "%s.tmp", textfile->name);
}

static int textfile_close(struct textfile *textfile)
{
    int status = fclose(textfile->file);
    textfile->file = NULL;
    return status;
}

/* One that was written and has not replaced NAME is gone. */
static int textfile_collect(lua_State *L)
{
    char temporary[TEXTFILE_LINE];
    struct textfile *textfile = lua_touserdata(L, 1);
    if (textfile->file == NULL)
        return 0;
    textfile_close(textfile);
    textfile_temporary(textfile, temporary);
    if (textfile->is_written)
        remove(temporary);
    return 0;
}

void textfile_end(struct textfile *textfile)
{
    textfile_close(textfile);
}

void textfile_open_type(lua_State *L)
{
    luaL_newmetatable(L, textfile_type);
    lua_pushcfunction(L, textfile_collect);
    lua_setfield(L, -2, "__gc");
    lua_pop(L, 1);
}

/* The name is kept as the userdata's value: it has to last as long. */
static struct textfile *textfile_make(lua_State *L, const char *name)
{
    struct textfile *textfile = lua_newuserdatauv(L, sizeof *textfile, 1);
    memset(textfile, 0, sizeof *textfile);
    textfile->name = lua_pushstring(L, name);
    lua_setiuservalue(L, -2, 1);
    luaL_setmetatable(L, textfile_type);
    return textfile;
}

struct textfile *textfile_push(lua_State *L, const char *name)
{
    struct stat status;
    struct textfile *textfile = textfile_make(L, name);
    textfile->file = fopen(name, "re");
    if (textfile->file == NULL || fstat(fileno(textfile->file), &status) != 0)
        luaL_error(L, "%s: %s", name, strerror(errno));
    if (!S_ISREG(status.st_mode))
        luaL_error(L, "%s: not a regular file", name);
    textfile->size = status.st_size;
    return textfile;
}

const char *textfile_line(lua_State *L, struct textfile *textfile)
{
    char *text = textfile->text;
    textfile->line++;
    if (fgets(text, sizeof textfile->text, textfile->file) == NULL) {
        if (ferror(textfile->file))
            textfile_fail(L, textfile, "%s", strerror(errno));
        return NULL;
    }
    size_t length = strlen(text);
    if (length == sizeof textfile->text - 1 && text[length - 1] != '\n')
        textfile_fail(L, textfile, "the line is longer than %d bytes", TEXTFILE_LINE - 2);
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        text[--length] = '\0';
    return text;
}

_Noreturn void textfile_fail(lua_State *L, const struct textfile *textfile, const char *format, ...)
{
    char message[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    luaL_error(L, "%s:%I: %s", textfile->name, (lua_Integer)textfile->line, message);
    abort(); /* not reached */
}

struct textfile *textfile_push_new(lua_State *L, const char *name)
{
    char temporary[TEXTFILE_LINE];
    struct textfile *textfile = textfile_make(L, name);
    luaL_argcheck(L, strlen(name) < sizeof temporary - sizeof ".tmp", 1, "the name is too long");
    textfile_temporary(textfile, temporary);
    textfile->is_written = 1;
    textfile->file = fopen(temporary, "we");
    if (textfile->file == NULL)
        luaL_error(L, "%s: %s", temporary, strerror(errno));
    return textfile;
}

void textfile_replace(lua_State *L, struct textfile *textfile)
{
    char temporary[TEXTFILE_LINE];
    errno = 0;
    int status = fflush(textfile->file) != 0 || ferror(textfile->file);
    int number = errno;
    textfile_temporary(textfile, temporary);
    if (textfile_close(textfile) != 0 && !status) {
        status = 1;
        number = errno;
    }
    if (!status && rename(temporary, textfile->name) != 0) {
        status = 1;
        number = errno;
    }
    if (!status)
        return;
    remove(temporary);
    luaL_error(L, "cannot write %s: %s", textfile->name,
               number == 0 ? "an error of the disk" : strerror(number));
}
