#include "store/generations.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/disk.h"

enum {
    LINKS_MAX = 40, /* symbolic links followed, as many as the kernel does */
    GAP_MAX = 8     /* numbers in a row that may be missing before there are no more generations */
};

/* A link or copy in the making: the one name, beside FILE.tmp, that a killed process leaves. */
static const char temporary[] = ".1.tmp";

static int out_of_memory(struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory");
}

char *generations_name(const char *file, const char *suffix)
{
    size_t size = strlen(file), more = strlen(suffix) + 1;
    char *name = malloc(size + more);
    if (name != NULL) {
        memcpy(name, file, size);
        memcpy(name + size, suffix, more);
    }
    return name;
}

char *generations_numbered(const char *file, int number)
{
    char suffix[16] = "";
    if (number > 0)
        snprintf(suffix, sizeof suffix, ".%d", number);
    return generations_name(file, suffix);
}

/* ---- where FILE is */

/* What a link says, as a path from where we are; for free(). */
static char *follow(const char *link, struct error *error)
{
    char target[PATH_MAX];
    ssize_t size = readlink(link, target, sizeof target);
    if (size == (ssize_t)sizeof target) {
        size = -1;
        errno = ENAMETOOLONG;
    }
    if (size < 0) {
        error_set_system(error, "cannot read the link %s", link);
        return NULL;
    }
    const char *slash = strrchr(link, '/');
    size_t folder = slash == NULL || target[0] == '/' ? 0 : (size_t)(slash - link) + 1;
    char *path = malloc(folder + (size_t)size + 1);
    if (path == NULL) {
        out_of_memory(error);
        return NULL;
    }
    memcpy(path, link, folder);
    memcpy(path + folder, target, (size_t)size);
    path[folder + (size_t)size] = '\0';
    return path;
}

/* 1 for a symbolic link, 0 for anything else or nothing. */
static int is_link(const char *path, struct error *error)
{
    struct stat info;
    size_t size = strlen(path);
    if (size == 0 || path[size - 1] == '/')
        return error_set(error, ERROR_NOT_SNAPSHOT, "'%s' is not the name of a file", path);
    if (lstat(path, &info) == 0)
        return S_ISLNK(info.st_mode);
    return errno == ENOENT ? 0 : error_set_system(error, "cannot look at %s", path);
}

char *generations_resolve(const char *file, struct error *error)
{
    char *path = generations_name(file, "");
    int status = path == NULL ? out_of_memory(error) : is_link(path, error);
    for (int links = 0; status == 1; links++) {
        char *next = NULL;
        if (links < LINKS_MAX) {
            next = follow(path, error);
        } else {
            errno = ELOOP;
            error_set_system(error, "cannot follow %s", file);
        }
        free(path);
        path = next;
        status = path == NULL ? ERROR_SYSTEM : is_link(path, error);
    }
    if (status == 0)
        return path;
    free(path);
    return NULL;
}

/* ---- making room */

/* 1 if there is one, also an empty one if that counts, 0 if not. */
static int exists(const char *name, int also_empty, struct error *error)
{
    struct stat info;
    if (lstat(name, &info) == 0)
        return also_empty || info.st_size > 0;
    return errno == ENOENT ? 0 : error_set_system(error, "cannot look at %s", name);
}

static int number_exists(const char *file, int number, struct error *error)
{
    char *name = generations_numbered(file, number);
    if (name == NULL)
        return out_of_memory(error);
    int there = exists(name, 1, error);
    free(name);
    return there;
}

/* FILE.from becomes FILE.to. */
static int renumber(const char *file, int from, int to, struct error *error)
{
    char *source = generations_numbered(file, from), *target = generations_numbered(file, to);
    int status = 0;
    if (source == NULL || target == NULL)
        status = out_of_memory(error);
    else if (disk_rename(source, target) != 0)
        status = error_set_system(error, "cannot rename %s to %s", source, target);
    free(source);
    free(target);
    return status;
}

/* Moves FILE.1 and so on up by one, as far as the first number that is missing (a killed rotation
 * leaves one), at most to FILE.<last>, which is replaced. */
static int shift(const char *file, int last, struct error *error)
{
    int free_number = 1, status = 1;
    while (free_number < last && (status = number_exists(file, free_number, error)) == 1)
        free_number++;
    for (; status >= 0 && free_number > 1; free_number--)
        status = renumber(file, free_number - 1, free_number, error);
    return status < 0 ? status : 0;
}

/* Unlinks FILE.first and above, as many as it can. Returns -1 with errno of one that it could not.
 */
static int forget_from(const char *file, int first)
{
    int system = 0;
    for (int number = first, missing = 0; missing < GAP_MAX && number < INT_MAX; number++) {
        char *name = generations_numbered(file, number);
        if (name == NULL)
            return -1; /* malloc has set errno */
        missing = unlink(name) == 0 ? 0 : missing + 1;
        if (missing > 0 && errno != ENOENT)
            system = errno;
        free(name);
    }
    errno = system;
    return system == 0 ? 0 : -1;
}

/* The new FILE.1 is made under another name first: that is what may fail for want of space, and it
 * lets FILE.1 be replaced in one step. */
static int push(const char *file, const char *temp, const char *first, int keep,
                struct error *error)
{
    /* A rotation that was killed, or a save that failed, just behind the last step of this. */
    if (disk_is_same(file, first))
        return 0;
    if (disk_link(file, temp) != 0)
        return error_set_system(error, "cannot keep %s as %s", file, first);
    int status = shift(file, keep - 1, error);
    if (status == 0 && disk_rename(temp, first) != 0)
        status = error_set_system(error, "cannot rename %s to %s", temp, first);
    if (status != 0)
        (void)unlink(temp);
    return status;
}

int generations_rotate(const char *file, int keep, struct error *error)
{
    int status = exists(file, 0, error);
    if (status <= 0) /* older ones, if any, are better than nothing */
        return status;
    status = 0;
    if (keep > 1) {
        char *temp = generations_name(file, temporary), *first = generations_numbered(file, 1);
        status = temp == NULL || first == NULL ? out_of_memory(error)
                                               : push(file, temp, first, keep, error);
        free(temp);
        free(first);
    }
    if (status == 0) /* one too many that stays is no reason to fail a save */
        (void)forget_from(file, keep > 1 ? keep : 1);
    return status;
}

/* ---- putting aside */

static int sync_folder(const char *file, struct error *error)
{
    if (disk_sync_folder_of(file) == 0)
        return 0;
    return error_set_system(error, "cannot sync the folder of %s", file);
}

/* Gives FILE a second name in one step. */
static int keep_as(const char *file, const char *target, struct error *error)
{
    char *temp = generations_name(file, temporary);
    if (temp == NULL)
        return out_of_memory(error);
    int status = 0;
    if (disk_link(file, temp) != 0 || disk_rename(temp, target) != 0) {
        status = error_set_system(error, "cannot keep %s as %s", file, target);
        (void)unlink(temp);
    }
    free(temp);
    return status;
}

int generations_keep_as(const char *file, const char *target, struct error *error)
{
    int status = keep_as(file, target, error);
    return status == 0 ? sync_folder(file, error) : status;
}

int generations_keep_old(const char *file, int number, int replace, struct error *error)
{
    char *from = generations_numbered(file, number), *old = generations_name(file, ".old");
    int status = from == NULL || old == NULL ? out_of_memory(error)
                 : replace                   ? 0
                                             : exists(old, 1, error);
    if (status == 0)
        status = generations_keep_as(from, old, error);
    free(from);
    free(old);
    return status < 0 ? status : 0;
}

int generations_fall_back(const char *file, int number, struct error *error)
{
    if (number < 1)
        return error_set(error, ERROR_INVALID, "%s has no generation %d", file, number);
    int there = number_exists(file, number, error);
    if (there == 0)
        return error_set(error, ERROR_ABSENT, "%s.%d: no such file", file, number);
    char *bad = generations_name(file, ".bad");
    int status = there < 0 ? there : bad == NULL ? out_of_memory(error) : exists(file, 1, error);
    if (status == 1)
        status = keep_as(file, bad, error);
    if (status == 0)
        status = renumber(file, number, 0, error);
    free(bad);
    return status == 0 ? sync_folder(file, error) : status;
}

int generations_set_aside(const char *file, const char *suffix, struct error *error)
{
    char *dotted = generations_name(".", suffix);
    char *target = dotted == NULL ? NULL : generations_name(file, dotted);
    free(dotted);
    if (target == NULL)
        return out_of_memory(error);
    /* An empty FILE is none: it must not replace an older FILE.old. */
    int status = exists(file, 0, error);
    if (status == 1)
        status = disk_rename(file, target) == 0
                     ? 0
                     : error_set_system(error, "cannot rename %s to %s", file, target);
    free(target);
    if (status == 0 && forget_from(file, 1) != 0)
        status = error_set_system(error, "cannot remove older generations of %s", file);
    return status == 0 ? sync_folder(file, error) : status;
}

/* ---- taking away */

static void remove_suffixed(const char *file, const char *suffix)
{
    char *name = generations_name(file, suffix);
    if (name != NULL)
        (void)unlink(name);
    free(name);
}

void generations_clean(const char *file)
{
    remove_suffixed(file, ".tmp");
    remove_suffixed(file, temporary);
}

void generations_forget_older(const char *file)
{
    (void)forget_from(file, 1);
}

int generations_remove(const char *file, struct error *error)
{
    generations_clean(file);
    /* FILE last: a job that is killed or fails in between ends once more from there. */
    if (forget_from(file, 1) != 0)
        return error_set_system(error, "cannot remove older generations of %s", file);
    if (disk_remove(file) != 0)
        return error_set_system(error, "cannot remove %s", file);
    return sync_folder(file, error);
}
