#include "store/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { COPY_SIZE = 256 * 1024 };

int disk_open(const char *name, int flags, mode_t mode)
{
    int fd;
    do
        fd = open(name, flags | O_CLOEXEC, mode);
    while (fd < 0 && errno == EINTR);
    return fd;
}

int disk_create(const char *name, mode_t permissions)
{
    mode_t mode = permissions == 0 ? 0666 : permissions;
    int fd = disk_open(name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
    /* The umask may have taken bits away. File systems that know no permissions refuse this; their
     * own ones will do. */
    if (fd >= 0 && permissions != 0)
        (void)!fchmod(fd, permissions);
    return fd;
}

/* offset -1: where the descriptor stands. */
static int write_all(int fd, const void *data, size_t size, off_t offset)
{
    const unsigned char *next = data;
    while (size > 0) {
        ssize_t done = offset < 0 ? write(fd, next, size) : pwrite(fd, next, size, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done == 0) /* never for regular files; would go on for ever */
            errno = EIO;
        if (done <= 0)
            return -1;
        next += done;
        size -= (size_t)done;
        if (offset >= 0)
            offset += done;
    }
    return 0;
}

int disk_write(int fd, const void *data, size_t size)
{
    return write_all(fd, data, size, -1);
}

int disk_write_at(int fd, const void *data, size_t size, off_t offset)
{
    return write_all(fd, data, size, offset);
}

static ssize_t read_all(int fd, void *data, size_t size, off_t offset)
{
    unsigned char *next = data;
    size_t left = size > SSIZE_MAX ? SSIZE_MAX : size;
    ssize_t total = 0;
    while (left > 0) {
        ssize_t done = offset < 0 ? read(fd, next, left) : pread(fd, next, left, offset);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return -1;
        if (done == 0)
            break;
        next += done;
        total += done;
        left -= (size_t)done;
        if (offset >= 0)
            offset += done;
    }
    return total;
}

ssize_t disk_read(int fd, void *data, size_t size)
{
    return read_all(fd, data, size, -1);
}

ssize_t disk_read_at(int fd, void *data, size_t size, off_t offset)
{
    return read_all(fd, data, size, offset);
}

int disk_sync(int fd)
{
    int status;
    do
        status = fsync(fd);
    while (status != 0 && errno == EINTR);
    return status;
}

int disk_sync_data(int fd)
{
    int status;
    do
        status = fdatasync(fd);
    while (status != 0 && errno == EINTR);
    return status;
}

int disk_close(int fd)
{
    /* On Linux the descriptor is gone after EINTR too; to close it again might hit another one. */
    return close(fd) == 0 || errno == EINTR ? 0 : -1;
}

int disk_open_folder(const char *file, int *fd)
{
    char folder[PATH_MAX] = ".";
    const char *slash = strrchr(file, '/');
    size_t size = slash == NULL ? 1 : (size_t)(slash - file) + 1;
    if (size >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (slash != NULL)
        memcpy(folder, file, size);
    folder[size] = '\0';
    *fd = disk_open(folder, O_RDONLY | O_DIRECTORY, 0);
    return *fd >= 0 || errno == EACCES ? 0 : -1;
}

int disk_sync_folder(int fd)
{
    if (fd < 0 || disk_sync(fd) == 0)
        return 0;
    /* Some network and FUSE file systems cannot sync a folder and say so in one of these ways; they
     * keep a rename safe by themselves, or not at all. */
    return errno == EINVAL || errno == ENOTSUP || errno == ENOSYS ? 0 : -1;
}

int disk_sync_folder_of(const char *file)
{
    int fd;
    if (disk_open_folder(file, &fd) != 0)
        return -1;
    int status = disk_sync_folder(fd);
    if (fd >= 0)
        disk_close(fd); /* nothing was written through it */
    return status;
}

static int same(const struct stat *one, const struct stat *other)
{
    return one->st_dev == other->st_dev && one->st_ino == other->st_ino;
}

int disk_is_open_as(const char *name, int fd)
{
    struct stat named, opened;
    return lstat(name, &named) == 0 && fstat(fd, &opened) == 0 && same(&named, &opened);
}

int disk_is_same(const char *one, const char *other)
{
    struct stat first, second;
    return lstat(one, &first) == 0 && lstat(other, &second) == 0 && same(&first, &second);
}

int disk_rename(const char *from, const char *to)
{
    if (rename(from, to) != 0)
        return -1;
    (void)unlink(from); /* still there only if both were names of one file */
    return 0;
}

int disk_remove(const char *name)
{
    return unlink(name) == 0 || errno == ENOENT ? 0 : -1;
}

static int copy_bytes(int from, int to)
{
    unsigned char *buffer = malloc(COPY_SIZE);
    if (buffer == NULL)
        return -1;
    ssize_t size;
    while ((size = disk_read(from, buffer, COPY_SIZE)) > 0) {
        if (disk_write(to, buffer, (size_t)size) != 0) {
            size = -1;
            break;
        }
    }
    int system = errno;
    free(buffer);
    errno = system;
    return size < 0 ? -1 : 0;
}

/* To a new file `to`, which is removed again after a failure. */
static int copy_open(int from, const char *to)
{
    struct stat info;
    if (fstat(from, &info) != 0)
        return -1;
    int fd = disk_create(to, info.st_mode & 0777);
    if (fd < 0)
        return -1;
    int status = copy_bytes(from, fd);
    if (status == 0)
        status = disk_sync(fd);
    int system = errno;
    if (disk_close(fd) != 0 && status == 0) {
        status = -1;
        system = errno;
    }
    if (status != 0)
        (void)unlink(to);
    errno = system;
    return status;
}

static int copy(const char *from, const char *to)
{
    int fd = disk_open(from, O_RDONLY | O_NONBLOCK, 0);
    if (fd < 0)
        return -1;
    int status = copy_open(fd, to);
    int system = errno;
    disk_close(fd); /* only read from */
    errno = system;
    return status;
}

/* FAT and many FUSE and SMB mounts have no links; the kernel's fs.protected_hardlinks refuses links
 * to a file of another user; a file can have too many; some network file systems say EXDEV. */
static int links_are_impossible(int system)
{
    return system == EPERM || system == EACCES || system == ENOTSUP || system == ENOSYS ||
           system == EMLINK || system == EXDEV || system == EINVAL;
}

int disk_link(const char *from, const char *to)
{
    if (disk_remove(to) != 0)
        return -1;
    if (link(from, to) == 0)
        return 0;
    int system = errno;
    (void)unlink(to); /* a link whose answer the network lost */
    errno = system;
    return links_are_impossible(system) ? copy(from, to) : -1;
}
