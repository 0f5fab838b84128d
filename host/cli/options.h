/*
 * The command line: long options, taken by their whole names only.
 */
#ifndef CKPTLUA_CLI_OPTIONS_H
#define CKPTLUA_CLI_OPTIONS_H

#include "include/ckptlua.h"

/* Called for each option in turn; value is NULL for a flag. Returns CKPTLUA_OK or an exit code,
 * which ends the reading, having printed a message. */
typedef int options_take_function(void *context, const char *name, const char *value);

/* Reads the options of argv, from argv[1] up to the first word that is none (or up to behind a
 * "--"). `list` is ended by an option whose name is NULL.
 * Returns CKPTLUA_OK with *next the index of that word (argc if there is none), or an exit code
 * after a message. */
int options_read(int argc, char *argv[], const ckptlua_option *list, options_take_function *take,
                 void *context, int *next);

/* The options of the library and those in `own` (ended by a NULL name) in one list, for free().
 * Returns NULL when out of memory. */
ckptlua_option *options_join(const ckptlua_option *own);

/* How many slips of the pen make one word of the other: a letter too many, too few or wrong, or
 * two that changed places. Long words count as far apart. */
int options_distance(const char *one, const char *other);

#endif
