#include "store/snapshot.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "store/checksum.h"
#include "store/disk.h"
#include "store/format.h"
#include "store/generations.h"

/* Bytes. Larger pieces are hashed and written (or read) without a copy, in steps of this size so
 * that what was hashed is still in the processor's cache. */
enum { BUFFER_SIZE = 256 * 1024 };

static int out_of_memory(const char *file, struct error *error)
{
    return error_set(error, ERROR_MEMORY, "out of memory while working on %s", file);
}

static int not_regular(const char *file, mode_t mode, struct error *error)
{
    return error_set(error, ERROR_NOT_SNAPSHOT, "%s is %s", file,
                     S_ISDIR(mode) ? "a directory" : "not a regular file");
}

/* ---- writing */

struct snapshot_writer {
    char *file; /* links followed */
    char *temp;
    int fd;     /* of temp, -1 if there is none */
    int folder; /* opened at the start, so that nothing can fail behind the rename but the sync */
    struct checksum *checksum; /* of all but what is in the buffer */
    unsigned char *buffer;
    size_t used;      /* bytes in buffer */
    uint64_t written; /* bytes taken from the caller */
    int failed;
};

static void size_text(char out[32], uint64_t bytes)
{
    static const char units[] = "KMGTPE";
    double size = (double)bytes;
    int unit = -1;
    for (; size >= 999.5; unit++)
        size /= 1000;
    if (unit < 0)
        snprintf(out, 32, "%d bytes", (int)bytes);
    else
        snprintf(out, 32, "%.*f %cB", size < 9.95 ? 1 : 0, size, units[unit]);
}

/* Bytes there would be without FILE.tmp, which is removed now. */
static int free_space(int fd, uint64_t *space)
{
    struct statvfs system;
    struct stat info;
    if (fd < 0 || fstatvfs(fd, &system) != 0 || fstat(fd, &info) != 0)
        return -1;
    *space = (uint64_t)system.f_bavail * system.f_frsize + (uint64_t)info.st_blocks * 512;
    return 0;
}

/* For a system call that failed; errno tells. A full disk is what users meet most. */
static int save_failed(const struct snapshot_writer *writer, struct error *error)
{
    int system = errno;
    char needed[32], left[32];
    uint64_t space;
    if (system != ENOSPC && system != EDQUOT)
        return error_set_system(error, "saving to %s failed", writer->file);
    size_text(needed, writer->written + FORMAT_TRAILER_SIZE);
    if (system == EDQUOT)
        error_set(error, ERROR_SYSTEM, "saving to %s failed: disk quota exceeded (needed %s)",
                  writer->file, needed);
    else if (free_space(writer->fd, &space) != 0)
        error_set(error, ERROR_SYSTEM, "saving to %s failed: no space left on device (needed %s)",
                  writer->file, needed);
    else {
        size_text(left, space);
        error_set(error, ERROR_SYSTEM,
                  "saving to %s failed: no space left on device (needed %s, free %s)", writer->file,
                  needed, left);
    }
    if (error != NULL)
        error->system = system;
    errno = system;
    return ERROR_SYSTEM;
}

/* Removes FILE.tmp unless it is no longer the one that this writer made. */
static void discard(const struct snapshot_writer *writer)
{
    if (writer->fd < 0 || disk_is_open_as(writer->temp, writer->fd))
        (void)unlink(writer->temp);
}

static void writer_free(struct snapshot_writer *writer)
{
    if (writer->fd >= 0)
        (void)disk_close(writer->fd);
    if (writer->folder >= 0)
        (void)disk_close(writer->folder);
    checksum_free(writer->checksum);
    free(writer->buffer);
    free(writer->temp);
    free(writer->file);
    free(writer);
}

static struct snapshot_writer *writer_new(const char *file, struct error *error)
{
    struct snapshot_writer *writer = calloc(1, sizeof *writer);
    if (writer == NULL) {
        out_of_memory(file, error);
        return NULL;
    }
    writer->fd = writer->folder = -1;
    writer->file = generations_resolve(file, error);
    if (writer->file == NULL) {
        writer_free(writer);
        return NULL;
    }
    writer->temp = generations_name(writer->file, ".tmp");
    writer->buffer = malloc(BUFFER_SIZE);
    writer->checksum = checksum_new();
    if (writer->temp == NULL || writer->buffer == NULL || writer->checksum == NULL) {
        out_of_memory(file, error);
        writer_free(writer);
        return NULL;
    }
    return writer;
}

static int writer_create(struct snapshot_writer *writer, struct error *error)
{
    struct stat old;
    mode_t permissions = 0;
    if (lstat(writer->file, &old) == 0) {
        if (!S_ISREG(old.st_mode))
            return not_regular(writer->file, old.st_mode, error);
        permissions = old.st_mode & 0777;
    }
    if (disk_open_folder(writer->file, &writer->folder) != 0)
        return save_failed(writer, error);
    writer->fd = disk_create(writer->temp, permissions);
    if (writer->fd < 0 && errno == EEXIST && disk_remove(writer->temp) == 0)
        writer->fd = disk_create(writer->temp, permissions);
    if (writer->fd >= 0)
        return 0;
    if (errno == ENOSPC || errno == EDQUOT)
        return save_failed(writer, error);
    return error_set_system(error, "saving to %s failed: cannot create %s", writer->file,
                            writer->temp);
}

struct snapshot_writer *snapshot_begin(const char *file, struct error *error)
{
    struct snapshot_writer *writer = writer_new(file, error);
    if (writer != NULL && writer_create(writer, error) != 0) {
        writer_free(writer);
        writer = NULL;
    }
    return writer;
}

static int put(struct snapshot_writer *writer, const void *data, size_t size, struct error *error)
{
    checksum_add(writer->checksum, data, size);
    if (disk_write(writer->fd, data, size) == 0)
        return 0;
    writer->failed = 1;
    return save_failed(writer, error);
}

static int flush(struct snapshot_writer *writer, struct error *error)
{
    size_t size = writer->used;
    writer->used = 0;
    return size == 0 ? 0 : put(writer, writer->buffer, size, error);
}

int snapshot_write(struct snapshot_writer *writer, const void *data, size_t size,
                   struct error *error)
{
    const unsigned char *next = data;
    int status = 0;
    writer->written += size;
    if (size > BUFFER_SIZE - writer->used)
        status = flush(writer, error);
    for (; status == 0 && size >= BUFFER_SIZE; size -= BUFFER_SIZE, next += BUFFER_SIZE)
        status = put(writer, next, BUFFER_SIZE, error);
    if (status == 0 && size > 0) {
        memcpy(writer->buffer + writer->used, next, size);
        writer->used += size;
    }
    return status;
}

uint64_t snapshot_written(const struct snapshot_writer *writer)
{
    return writer->written;
}

/* FILE.tmp complete and safe on disk, and closed. */
static int finish(struct snapshot_writer *writer, struct error *error)
{
    unsigned char digest[CHECKSUM_SIZE], trailer[FORMAT_TRAILER_SIZE];
    if (writer->failed)
        return error_set(error, ERROR_INVALID, "saving to %s failed before", writer->file);
    int status = flush(writer, error);
    if (status != 0)
        return status;
    checksum_digest(writer->checksum, digest);
    format_put_trailer(trailer, writer->written, digest);
    if (disk_write(writer->fd, trailer, sizeof trailer) != 0 || disk_sync(writer->fd) != 0)
        return save_failed(writer, error);
    /* A process that took this one for dead may have put its own file there. */
    if (!disk_is_open_as(writer->temp, writer->fd))
        return error_set(error, ERROR_INVALID,
                         "saving to %s failed: another process replaced or removed %s",
                         writer->file, writer->temp);
    int fd = writer->fd;
    writer->fd = -1;
    return disk_close(fd) == 0 ? 0 : save_failed(writer, error);
}

static int rotate(const struct snapshot_writer *writer, int generations, struct error *error)
{
    struct error reason = {0};
    int status = generations_rotate(writer->file, generations, &reason);
    if (status == 0)
        return 0;
    error_set(error, status, "saving to %s failed: %s", writer->file, reason.message);
    if (error != NULL)
        error->system = reason.system;
    return status;
}

int snapshot_commit(struct snapshot_writer *writer, int generations, struct error *error)
{
    int status = finish(writer, error);
    if (status == 0 && generations > 0)
        status = rotate(writer, generations, error);
    if (status == 0 && rename(writer->temp, writer->file) != 0)
        status = save_failed(writer, error);
    if (status != 0)
        discard(writer);
    else if (disk_sync_folder(writer->folder) != 0)
        status = save_failed(writer, error);
    writer_free(writer);
    return status;
}

void snapshot_abort(struct snapshot_writer *writer)
{
    if (writer == NULL)
        return;
    discard(writer);
    writer_free(writer);
}

/* ---- reading */

struct snapshot_reader {
    char *file;
    int fd;
    uint64_t file_size, length; /* bytes; length without the trailer */
    unsigned char digest[CHECKSUM_SIZE];
    struct checksum *checksum; /* of what was read from the file */
    uint64_t fetched;          /* bytes read from the file */
    unsigned char *buffer;     /* of `room` bytes, no more than the file has */
    size_t room;
    size_t at, end; /* what is in buffer and not yet handed out */
    int failed;     /* an error code: what it then goes on to return */
};

static int damaged(const struct snapshot_reader *reader, const char *how, struct error *error)
{
    return error_set(error, ERROR_DAMAGED, "%s is damaged (%s)", reader->file, how);
}

static int cannot_read(const struct snapshot_reader *reader, struct error *error)
{
    return error_set_system(error, "cannot read %s", reader->file);
}

static struct snapshot_reader *reader_new(const char *file, struct error *error)
{
    struct snapshot_reader *reader = calloc(1, sizeof *reader);
    if (reader != NULL) {
        reader->fd = -1;
        reader->file = generations_name(file, "");
        reader->checksum = checksum_new();
        if (reader->file != NULL && reader->checksum != NULL)
            return reader;
    }
    snapshot_close(reader);
    out_of_memory(file, error);
    return NULL;
}

static int open_file(struct snapshot_reader *reader, struct error *error)
{
    struct stat info;
    /* O_NONBLOCK: a FIFO of that name must not make us wait. */
    reader->fd = disk_open(reader->file, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
    if (reader->fd < 0 && errno == ENOENT)
        return error_set(error, ERROR_ABSENT, "%s: no such file", reader->file);
    if (reader->fd < 0 && (errno == ENXIO || errno == ENODEV)) /* a socket, a device */
        return not_regular(reader->file, 0, error);
    if (reader->fd < 0 || fstat(reader->fd, &info) != 0)
        return cannot_read(reader, error);
    if (!S_ISREG(info.st_mode))
        return not_regular(reader->file, info.st_mode, error);
    if (info.st_size == 0)
        return error_set(error, ERROR_ABSENT, "%s is empty", reader->file);
    reader->file_size = (uint64_t)info.st_size;
    reader->room = info.st_size < BUFFER_SIZE ? (size_t)info.st_size : BUFFER_SIZE;
    reader->buffer = malloc(reader->room);
    if (reader->buffer == NULL)
        return out_of_memory(reader->file, error);
    (void)posix_fadvise(reader->fd, 0, 0, POSIX_FADV_SEQUENTIAL);
    return 0;
}

static int read_at(const struct snapshot_reader *reader, void *data, size_t size, uint64_t offset,
                   struct error *error)
{
    ssize_t done = disk_read_at(reader->fd, data, size, (off_t)offset);
    if (done < 0)
        return cannot_read(reader, error);
    return (size_t)done == size ? 0 : damaged(reader, "it changed while it was read", error);
}

static int check_head(const struct snapshot_reader *reader, struct error *error)
{
    unsigned char head[FORMAT_HEAD_SIZE];
    uint16_t pairs;
    uint64_t left = reader->file_size;
    size_t size = left < sizeof head ? (size_t)left : sizeof head;
    struct error reason;
    int status = read_at(reader, head, size, 0, error);
    if (status != 0)
        return status;
    if (size < sizeof head && format_begins_head(head, size))
        return damaged(reader, "cut off in its first bytes", error);
    if (size < sizeof head)
        return error_set(error, ERROR_NOT_SNAPSHOT, "%s is not a ckptlua snapshot", reader->file);
    status = format_get_head(head, &pairs, &reason);
    return status == 0 ? 0 : error_set(error, status, "%s %s", reader->file, reason.message);
}

static int check_trailer(struct snapshot_reader *reader, struct error *error)
{
    unsigned char trailer[FORMAT_TRAILER_SIZE];
    char how[100];
    uint64_t size = reader->file_size;
    snprintf(how, sizeof how, "cut off or overwritten: no end mark after %" PRIu64 " bytes", size);
    if (size < sizeof trailer)
        return damaged(reader, how, error);
    int status = read_at(reader, trailer, sizeof trailer, size - sizeof trailer, error);
    if (status != 0)
        return status;
    if (format_get_trailer(trailer, &reader->length, reader->digest) != 0)
        return damaged(reader, how, error);
    if (reader->length == size - sizeof trailer)
        return 0;
    snprintf(how, sizeof how, "cut off: %" PRIu64 " bytes, %" PRIu64 " expected",
             size - sizeof trailer, reader->length);
    return damaged(reader, how, error);
}

/* Reads the next size bytes of the file, which are there if its length is what it was. With the
 * last ones the checksum is compared, before any of them is handed out. */
static int fetch(struct snapshot_reader *reader, void *data, size_t size, struct error *error)
{
    unsigned char digest[CHECKSUM_SIZE];
    ssize_t done = disk_read(reader->fd, data, size);
    if (done < 0)
        return cannot_read(reader, error);
    if ((size_t)done != size)
        return damaged(reader, "it changed while it was read", error);
    checksum_add(reader->checksum, data, size);
    reader->fetched += size;
    if (reader->fetched < reader->length)
        return 0;
    checksum_digest(reader->checksum, digest);
    if (memcmp(digest, reader->digest, sizeof digest) == 0)
        return 0;
    return damaged(reader, "checksum of the body", error);
}

/* The size of the next piece, at most `most`. */
static size_t piece(const struct snapshot_reader *reader, size_t most)
{
    uint64_t left = reader->length - reader->fetched;
    return left < most ? (size_t)left : most;
}

static int rewind_file(struct snapshot_reader *reader, struct error *error)
{
    if (lseek(reader->fd, 0, SEEK_SET) != 0)
        return cannot_read(reader, error);
    reader->fetched = 0;
    checksum_reset(reader->checksum);
    return 0;
}

/* What fits into the buffer is not read again. */
static int check_body(struct snapshot_reader *reader, struct error *error)
{
    int status = 0;
    while (status == 0 && reader->fetched < reader->length)
        status = fetch(reader, reader->buffer, piece(reader, reader->room), error);
    if (status != 0)
        return status;
    if (reader->length > reader->room)
        return rewind_file(reader, error);
    reader->end = (size_t)reader->length;
    return 0;
}

/* One flipped byte in the head must not make another kind of file of a snapshot, nor a later one:
 * if the end is that of a snapshot, the checksum decides. A later format may end in another way. */
static int check(struct snapshot_reader *reader, struct error *error)
{
    struct error tail;
    int head = check_head(reader, error);
    if (head != 0 && head != ERROR_NOT_SNAPSHOT && head != ERROR_NEWER)
        return head;
    int status = check_trailer(reader, &tail);
    if (head == ERROR_NOT_SNAPSHOT)
        return status == 0 ? damaged(reader, "its first bytes", error) : head;
    if (head == ERROR_NEWER && status != 0)
        return head;
    if (status == 0)
        status = check_body(reader, &tail);
    if (status != 0 && error != NULL)
        *error = tail;
    return status != 0 ? status : head;
}

struct snapshot_reader *snapshot_open(const char *file, struct error *error)
{
    struct snapshot_reader *reader = reader_new(file, error);
    if (reader == NULL)
        return NULL;
    int status = open_file(reader, error);
    if (status == 0)
        status = check(reader, error);
    if (status == 0)
        return reader;
    snapshot_close(reader);
    return NULL;
}

uint64_t snapshot_size(const struct snapshot_reader *reader)
{
    return reader->length;
}

/* Hands out some bytes, at least one: from the buffer, or for a large piece straight from the file.
 */
static int64_t read_some(struct snapshot_reader *reader, void *data, size_t size,
                         struct error *error)
{
    int status;
    if (reader->at == reader->end && size >= BUFFER_SIZE) {
        size_t direct = piece(reader, BUFFER_SIZE);
        status = fetch(reader, data, direct, error);
        return status == 0 ? (int64_t)direct : status;
    }
    if (reader->at == reader->end) {
        size_t filled = piece(reader, reader->room);
        status = fetch(reader, reader->buffer, filled, error);
        if (status != 0)
            return status;
        reader->at = 0;
        reader->end = filled;
    }
    size_t ready = reader->end - reader->at;
    size_t taken = size < ready ? size : ready;
    memcpy(data, reader->buffer + reader->at, taken);
    reader->at += taken;
    return (int64_t)taken;
}

int64_t snapshot_read(struct snapshot_reader *reader, void *data, size_t size, struct error *error)
{
    unsigned char *next = data;
    int64_t total = 0;
    if (reader->failed != 0)
        return error_set(error, reader->failed, "%s could not be read to its end", reader->file);
    while (size > 0 && (reader->at < reader->end || reader->fetched < reader->length)) {
        int64_t done = read_some(reader, next, size, error);
        if (done < 0) {
            reader->failed = (int)done;
            return done;
        }
        next += done;
        size -= (size_t)done;
        total += done;
    }
    return total;
}

void snapshot_close(struct snapshot_reader *reader)
{
    if (reader == NULL)
        return;
    if (reader->fd >= 0)
        (void)disk_close(reader->fd);
    checksum_free(reader->checksum);
    free(reader->buffer);
    free(reader->file);
    free(reader);
}
