/*
 * The files of lua/ that are commands of the program, such as inspect;
 * cmake/EmbedLua.cmake makes the array.
 */
#ifndef CKPTLUA_CLI_EMBEDDED_H
#define CKPTLUA_CLI_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* "inspect" for lua/inspect.lua */
    const char *text; /* a zero follows it */
    size_t size;      /* of text, without that zero */
};

/* Ended by one whose name is NULL. */
extern const struct embedded_file cli_embedded[];

#endif
