/*
 * Names of files: as a script gave them, as a snapshot records them, as they are here and now.
 *
 * A relative name is recorded relative to the directory in which the job was started, so that a
 * copied sandbox works on another machine; an absolute one, and one that leads out of that
 * directory, is recorded absolute.
 */
#ifndef CKPTLUA_JOB_PATHS_H
#define CKPTLUA_JOB_PATHS_H

#include <limits.h>
#include <stddef.h>

struct place {
    char recorded[PATH_MAX]; /* relative to the start directory, or absolute */
    char absolute[PATH_MAX];
    char identity[PATH_MAX]; /* absolute, links followed: one text for all names of one file */
};

/* The current directory, "" for the root. Returns 0, or -1 where it has no name or too long a one.
 */
int paths_directory(char out[PATH_MAX]);

/* Finds the place of `name`, given in the current directory, for a job started in `start` (from
 * paths_directory). The file need not be there. Returns 0, or -1 if a path is too long. */
int paths_find(struct place *place, const char *start, const char *name);

/* The same for a name as it was recorded. */
int paths_find_recorded(struct place *place, const char *start, const char *recorded);

/* The directory that holds an absolute path. */
void paths_parent(const char *absolute, char out[PATH_MAX]);

/* Makes one line of a path, whatever is in it. out has room for 2 * strlen(path) + 1 bytes. */
void paths_escape(const char *path, char *out);

/* The path that became the `size` bytes at `line`. Returns 0, or -1 if it is too long. */
int paths_unescape(const char *line, size_t size, char out[PATH_MAX]);

#endif
