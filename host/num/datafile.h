/*
 * Files of numbers: read from the first byte to the last, or replaced as a whole.
 */
#ifndef CKPTLUA_NUM_DATAFILE_H
#define CKPTLUA_NUM_DATAFILE_H

#include <stdint.h>
#include <stdio.h>

#include <lua.h>

enum { DATAFILE_LINE = 4096 };

/* A userdata, which closes the file when it is collected. */
struct datafile {
    FILE *file;
    const char *name; /* a string on the stack, or where it was when this was made */
    int is_written;   /* NAME.tmp is written, and is to become NAME */
    int64_t size;     /* bytes, of one that is read */
    int64_t line;     /* number of the line that was read last, */
    int64_t offset;   /* or of bytes read by datafile_read */
    char text[DATAFILE_LINE];
};

/* Makes the metatable. Once per state. */
void datafile_open_type(lua_State *L);

/* Pushes one to be read; must be a regular file. Raises "NAME: why". */
struct datafile *datafile_push(lua_State *L, const char *name);

/* The next line, without its end, or NULL at the end of the file. Raises for one that is too long.
 */
const char *datafile_line(lua_State *L, struct datafile *datafile);

/* Closes one that has been read. */
void datafile_end(struct datafile *datafile);

/* Reads just so many bytes; raises where there are fewer. */
void datafile_read(lua_State *L, struct datafile *datafile, void *to, size_t size);

/* Raises "NAME: at byte N: " and the message, N being where the next one is read. */
_Noreturn void datafile_fail_here(lua_State *L, const struct datafile *datafile,
                                  const char *message);

/* Raises "NAME:LINE: " and the formatted message. */
_Noreturn void datafile_fail(lua_State *L, const struct datafile *datafile, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Pushes one that is to become NAME, written with stdio on ->file. */
struct datafile *datafile_push_new(lua_State *L, const char *name);

/* All has been written: it is NAME from now on. Raises where that has failed; then NAME is as it
 * was.
 */
void datafile_replace(lua_State *L, struct datafile *datafile);

#endif
