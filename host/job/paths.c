#include "job/paths.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int paths_directory(char out[PATH_MAX])
{
    if (getcwd(out, PATH_MAX) == NULL || out[0] != '/')
        return -1;
    if (strcmp(out, "/") == 0)
        out[0] = '\0';
    return 0;
}

static int join(char out[PATH_MAX], const char *directory, const char *name)
{
    int size = snprintf(out, PATH_MAX, "%s/%s", directory, name);
    return size >= 0 && size < PATH_MAX ? 0 : -1;
}

/* Drops "." and empty components. ".." stays, as the one before it may be a link.
 * Returns 0, or -1 if the path is too long or leads out of where it starts. */
static int tidy(char out[PATH_MAX], const char *path)
{
    size_t used = 0;
    int depth = 0;
    while (*path != '\0') {
        size_t size = strcspn(path, "/");
        int dots = (int)(size <= 2 && strspn(path, ".") >= size ? size : 0);
        depth += dots == 2 ? -1 : size > 0 && dots != 1;
        if (depth < 0 || used + size + 2 > PATH_MAX)
            return -1;
        if (size > 0 && dots != 1) {
            if (used > 0)
                out[used++] = '/';
            memcpy(out + used, path, size);
            used += size;
        }
        path += size + (path[size] == '/');
    }
    if (used == 0)
        out[used++] = '.';
    out[used] = '\0';
    return 0;
}

/* A file that is not there yet is known by its directory. */
static void identify(struct place *place)
{
    char parent[PATH_MAX], real[PATH_MAX];
    if (realpath(place->absolute, place->identity) != NULL)
        return;
    paths_parent(place->absolute, parent);
    if (errno != ENOENT || realpath(parent, real) == NULL ||
        join(place->identity, strcmp(real, "/") == 0 ? "" : real,
             strrchr(place->absolute, '/') + 1) != 0)
        strcpy(place->identity, place->absolute);
}

int paths_find_recorded(struct place *place, const char *start, const char *recorded)
{
    if (strlen(recorded) >= PATH_MAX)
        return -1;
    strcpy(place->recorded, recorded);
    if (recorded[0] == '/')
        strcpy(place->absolute, recorded);
    else if (join(place->absolute, start, recorded) != 0)
        return -1;
    identify(place);
    return 0;
}

int paths_find(struct place *place, const char *start, const char *name)
{
    char here[PATH_MAX], whole[PATH_MAX], inside[PATH_MAX];
    if (name[0] == '/')
        return paths_find_recorded(place, start, name);
    if (paths_directory(here) != 0 || join(whole, here, name) != 0)
        return -1;
    size_t size = strlen(start);
    int below = strncmp(here, start, size) == 0 && (here[size] == '\0' || here[size] == '/');
    if (!below || tidy(inside, whole + size + 1) != 0)
        return paths_find_recorded(place, start, whole);
    return paths_find_recorded(place, start, inside);
}

void paths_parent(const char *absolute, char out[PATH_MAX])
{
    size_t size = (size_t)(strrchr(absolute, '/') - absolute);
    memcpy(out, absolute, size);
    strcpy(out + size, size == 0 ? "/" : "");
}

void paths_escape(const char *path, char *out)
{
    for (; *path != '\0'; path++) {
        if (*path == '\\' || *path == '\n')
            *out++ = '\\';
        *out++ = *path == '\n' ? 'n' : *path;
    }
    *out = '\0';
}

int paths_unescape(const char *line, size_t size, char out[PATH_MAX])
{
    size_t used = 0;
    for (size_t i = 0; i < size; i++) {
        if (used + 1 >= PATH_MAX)
            return -1;
        int escaped = line[i] == '\\' && i + 1 < size;
        i += (size_t)escaped;
        out[used++] = escaped && line[i] == 'n' ? '\n' : line[i];
    }
    out[used] = '\0';
    return 0;
}
