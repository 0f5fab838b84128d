/*
 * Text files: read line by line, or replaced as a whole.
 */
#ifndef CKPTLUA_NUM_TEXTFILE_H
#define CKPTLUA_NUM_TEXTFILE_H

#include <stdint.h>
#include <stdio.h>

#include <lua.h>

enum { TEXTFILE_LINE = 4096 };

/* A userdata, which closes the file when it is collected. */
struct textfile {
    FILE *file;
    const char *name; /* a string on the stack, or where it was when this was made */
    int is_written;   /* NAME.tmp is written, and is to become NAME */
    int64_t size;     /* bytes, of one that is read */
    int64_t line;     /* number of the line that was read last */
    char text[TEXTFILE_LINE];
};

/* Makes the metatable. Once per state. */
void textfile_open_type(lua_State *L);

/* Pushes one to be read; must be a regular file. Raises "NAME: why". */
struct textfile *textfile_push(lua_State *L, const char *name);

/* The next line, without its end, or NULL at the end of the file. Raises for one that is too long.
 */
const char *textfile_line(lua_State *L, struct textfile *textfile);

/* Closes one that has been read. */
void textfile_end(struct textfile *textfile);

/* Raises "NAME:LINE: " and the formatted message. */
_Noreturn void textfile_fail(lua_State *L, const struct textfile *textfile, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Pushes one that is to become NAME, written with stdio on ->file. */
struct textfile *textfile_push_new(lua_State *L, const char *name);

/* All has been written: it is NAME from now on. Raises where that has failed; then NAME is as it
 * was.
 */
void textfile_replace(lua_State *L, struct textfile *textfile);

#endif
