/*
 * The files of lua/ that belong to every job, as they were when the program was built;
 * cmake/EmbedLua.cmake makes the array.
 */
#ifndef CKPTLUA_JOB_EMBEDDED_H
#define CKPTLUA_JOB_EMBEDDED_H

#include <stddef.h>

struct embedded_file {
    const char *name; /* "sparse" for lua/sparse.lua */
    const char *text; /* a zero follows it */
    size_t size;      /* of text, without that zero */
};

/* Ended by one whose name is NULL. */
extern const struct embedded_file embedded_files[];

#endif
