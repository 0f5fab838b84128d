/*
 * System calls with their loose ends tied: EINTR, short reads and writes, what counts as a failure
 * of fsync and close, links where the file system has none.
 *
 * As the calls themselves do, they return 0 (or a number) or -1 with errno: only their callers know
 * what to tell the user.
 */
#ifndef CKPTLUA_STORE_DISK_H
#define CKPTLUA_STORE_DISK_H

#include <stddef.h>
#include <sys/types.h>

int disk_open(const char *name, int flags, mode_t mode);

/* A new file, never one that is there or that a link points to; with the permissions given, or
 * 0666 less the umask if those are 0. */
int disk_create(const char *name, mode_t permissions);

/* All of it. */
int disk_write(int fd, const void *data, size_t size);
int disk_write_at(int fd, const void *data, size_t size, off_t offset);

/* All of it, or what there is before the end of the file: returns the number of bytes. */
ssize_t disk_read(int fd, void *data, size_t size);
ssize_t disk_read_at(int fd, void *data, size_t size, off_t offset);

int disk_sync(int fd);
int disk_sync_data(int fd);

/* The descriptor is closed in any case; -1 tells of data that could not be written. */
int disk_close(int fd);

/* Opens the folder that holds file. *fd is -1 if it may not be read, and so not be synced. */
int disk_open_folder(const char *file, int *fd);

/* Syncs a folder; fd -1 is fine. */
int disk_sync_folder(int fd);

/* The two above and the close, for the folder that holds file. */
int disk_sync_folder_of(const char *file);

/* Whether name (itself, if it is a link) is the file open as fd. */
int disk_is_open_as(const char *name, int fd);

/* Whether both are there and are names of one file. */
int disk_is_same(const char *one, const char *other);

/* rename, also of two names of one file, where rename itself does nothing: afterwards only the new
 * one is there. */
int disk_rename(const char *from, const char *to);

/* unlink; that there is none is no failure. */
int disk_remove(const char *name);

/* Makes `to`, which is replaced if it is there, another name of `from`; where that is not possible
 * a copy that is safe on disk. After a failure there is no `to`. */
int disk_link(const char *from, const char *to);

#endif
