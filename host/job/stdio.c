#include "job/stdio.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct stream {
    const char *name; /* for messages */
    FILE *file;
    int descriptor;
    int regular; /* a regular file that can be read back, and is not the other stream's */
    int reader;  /* a second descriptor of it, for reading; -1: none */
    int64_t summed;
    struct checksum *checksum; /* of the first `summed` bytes */
};

struct stdio {
    struct stream streams[2];
    int shared;   /* both are one regular file */
    char *output; /* --output, or NULL */
};

enum { BLOCK = 65536 };

/* ------------------------------------------------------------------ opening */

/* Whether the descriptor is a regular file. */
static int is_regular(int descriptor, struct stat *status)
{
    return fstat(descriptor, status) == 0 && S_ISREG(status->st_mode);
}

/* Opens a regular file once more, as stdout itself is mostly write-only. Where that is not possible
 * the stream counts as not regular. */
static int open_stream(struct stream *stream, struct error *error)
{
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", stream->descriptor);
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    if (descriptor < 0)
        return 0;
    /* Not in the place of a standard stream that is closed. */
    stream->reader = fcntl(descriptor, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    close(descriptor);
    if (stream->reader < 0)
        return 0;
    stream->checksum = checksum_new();
    if (stream->checksum == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory");
    stream->regular = 1;
    return 0;
}

/* Makes FILE stdout. What is written before stdio_restore goes to its end. */
static int redirect(const char *output, int continued, struct error *error)
{
    int descriptor = open(output, O_WRONLY | O_CREAT | (continued ? 0 : O_TRUNC), 0666);
    if (descriptor < 0)
        return error_set_system(error, "cannot open %s for the job's output", output);
    fflush(stdout);
    clearerr(stdout); /* of what it was before */
    int status = 0;
    if (descriptor != STDOUT_FILENO) {
        if (dup2(descriptor, STDOUT_FILENO) < 0)
            status = error_set_system(error, "cannot make %s the job's output", output);
        close(descriptor);
    }
    if (status == 0 && continued)
        lseek(STDOUT_FILENO, 0, SEEK_END); /* fails for what has no position */
    return status;
}

/* Opens what is to be read back. Both are looked at before any descriptor is opened, which could
 * be 1 or 2 where these are closed. */
static int open_streams(struct stdio *stdio, struct error *error)
{
    struct stat out, err;
    int regular[2] = {is_regular(STDOUT_FILENO, &out), is_regular(STDERR_FILENO, &err)};
    stdio->shared =
        regular[0] && regular[1] && out.st_dev == err.st_dev && out.st_ino == err.st_ino;
    int status = 0;
    for (int i = 0; i < 2 && status == 0; i++)
        if (regular[i] && !stdio->shared)
            status = open_stream(&stdio->streams[i], error);
    return status;
}

static void close_streams(struct stdio *stdio)
{
    for (int i = 0; i < 2; i++) {
        struct stream *stream = &stdio->streams[i];
        checksum_free(stream->checksum);
        if (stream->reader >= 0)
            close(stream->reader);
    }
    stdio->streams[0] = (struct stream){
        .name = "stdout", .file = stdout, .descriptor = STDOUT_FILENO, .reader = -1};
    stdio->streams[1] = (struct stream){
        .name = "stderr", .file = stderr, .descriptor = STDERR_FILENO, .reader = -1};
}

int stdio_set_output(struct stdio *stdio, const char *output, int continued, struct error *error)
{
    if (stdio->output != NULL && strcmp(stdio->output, output) == 0)
        return 0;
    char *copy = strdup(output);
    if (copy == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory");
    if (redirect(output, continued, error) != 0) {
        free(copy);
        return ERROR_SYSTEM;
    }
    close_streams(stdio);
    free(stdio->output);
    stdio->output = copy;
    stdio->streams[0].name = copy;
    return open_streams(stdio, error);
}

struct stdio *stdio_open(const char *output, int continued, struct error *error)
{
    struct stdio *stdio = calloc(1, sizeof *stdio);
    if (stdio == NULL) {
        error_set(error, ERROR_MEMORY, "out of memory");
        return NULL;
    }
    stdio->streams[0].reader = stdio->streams[1].reader = -1;
    close_streams(stdio);
    int status = output != NULL ? stdio_set_output(stdio, output, continued, error)
                                : open_streams(stdio, error);
    if (status == 0)
        return stdio;
    stdio_close(stdio);
    return NULL;
}

void stdio_close(struct stdio *stdio)
{
    if (stdio == NULL)
        return;
    close_streams(stdio);
    free(stdio->output);
    free(stdio);
}

/* ------------------------------------------------------------------ saving */

/* Flushes and syncs. Only for a regular file is a failure one: the reader of a pipe may be gone. */
static int sync_stream(const struct stream *stream, struct error *error)
{
    struct stat status;
    int lost = ferror(stream->file); /* stdio drops what it could not write */
    int flushed = fflush(stream->file);
    int cause = errno;
    if (!is_regular(stream->descriptor, &status))
        return 0;
    errno = cause;
    if (flushed != 0)
        return error_set_system(error, "writing %s failed", stream->name);
    if (lost)
        return error_set(error, ERROR_SYSTEM,
                         "%s lacks bytes, as writing it failed before; make room, end the job and "
                         "let it continue from its last snapshot",
                         stream->name);
    while (fsync(stream->descriptor) != 0)
        if (errno == EINVAL || errno == EROFS || errno == ENOTSUP)
            break;
        else if (errno != EINTR)
            return error_set_system(error, "writing %s failed", stream->name);
    return 0;
}

static int sync_both(struct stdio *stdio, struct error *error)
{
    int status = sync_stream(&stdio->streams[0], error);
    return status != 0 ? status : sync_stream(&stdio->streams[1], error);
}

/* Whether writes go to the end of the file (the shell's >>), wherever its offset is. */
static int appends(const struct stream *stream)
{
    int flags = fcntl(stream->descriptor, F_GETFL);
    return flags >= 0 && (flags & O_APPEND) != 0;
}

/* Where the next byte goes; negative if it is unknown. */
static int64_t position_of(const struct stream *stream)
{
    struct stat status;
    if (!appends(stream))
        return lseek(stream->descriptor, 0, SEEK_CUR);
    return fstat(stream->descriptor, &status) == 0 ? status.st_size : -1;
}

/* Brings the checksum to the first `position` bytes. Returns 0, or -1 if they cannot be read. */
static int sum_up_to(struct stream *stream, int64_t position)
{
    unsigned char block[BLOCK];
    if (position < stream->summed) {
        checksum_reset(stream->checksum);
        stream->summed = 0;
    }
    while (stream->summed < position) {
        int64_t left = position - stream->summed;
        ssize_t got =
            pread(stream->reader, block, left < BLOCK ? (size_t)left : BLOCK, stream->summed);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0)
            return -1;
        checksum_add(stream->checksum, block, (size_t)got);
        stream->summed += got;
    }
    return 0;
}

int stdio_save(struct stdio *stdio, struct stdio_state state[2], struct error *error)
{
    memset(state, 0, 2 * sizeof *state);
    int status = sync_both(stdio, error);
    for (int i = 0; i < 2 && status == 0; i++) {
        struct stream *stream = &stdio->streams[i];
        int64_t position = stream->regular ? position_of(stream) : -1;
        if (position < 0 || sum_up_to(stream, position) != 0)
            continue;
        struct stat info;
        if (fstat(stream->descriptor, &info) == 0) {
            state[i].device = (int64_t)info.st_dev;
            state[i].inode = (int64_t)info.st_ino;
        }
        state[i].regular = 1;
        state[i].position = position;
        checksum_digest(stream->checksum, state[i].digest);
    }
    return status;
}

/* Whether the stream was given to the job for writing, and is a device such as a terminal. */
static int is_device(const struct stream *stream)
{
    struct stat status;
    int flags = fcntl(stream->descriptor, F_GETFL);
    return flags >= 0 && (flags & O_ACCMODE) != O_RDONLY &&
           fstat(stream->descriptor, &status) == 0 && S_ISCHR(status.st_mode);
}

int stdio_finish(struct stdio *stdio, struct error *error)
{
    const struct stream *out = &stdio->streams[0];
    /* What a device has not taken would be lost with the snapshot. */
    int lost = ferror(out->file);
    if (is_device(out) && (fflush(out->file) != 0 || lost))
        return lost ? error_set(error, ERROR_SYSTEM, "writing %s failed", out->name)
                    : error_set_system(error, "writing %s failed", out->name);
    return sync_both(stdio, error);
}

/* ------------------------------------------------------------------ continuing */

/* Compares the stream's file with what was recorded of it, and decides on its length. */
static enum stdio_outcome compare(struct stream *stream, const struct stdio_state *state,
                                  const struct stat *status, int64_t *cut)
{
    unsigned char digest[CHECKSUM_SIZE];
    int64_t size = status->st_size;
    int same = state->device == (int64_t)status->st_dev && state->inode == (int64_t)status->st_ino;
    if (size < state->position)
        return STDIO_EMPTIED;
    if (!same && state->position == 0) /* no bytes prove nothing */
        return STDIO_OTHER_FILE;
    if (sum_up_to(stream, state->position) != 0)
        return STDIO_OTHER_FILE;
    checksum_digest(stream->checksum, digest);
    if (memcmp(digest, state->digest, sizeof digest) != 0)
        return STDIO_OTHER_FILE;
    if (*cut < state->position || *cut > size)
        *cut = *cut < 0 ? size : state->position;
    if (size > *cut)
        return STDIO_CUT_BACK;
    return size > state->position ? STDIO_KEPT : STDIO_AS_IT_WAS;
}

/* Cuts the file and goes to its end. */
static int put_back(struct stream *stream, int64_t position, struct error *error)
{
    struct stat status;
    if (fstat(stream->descriptor, &status) != 0 ||
        (status.st_size > position && ftruncate(stream->descriptor, position) != 0))
        return error_set_system(error, "cutting %s back to %lld bytes failed", stream->name,
                                (long long)position);
    if (fseeko(stream->file, position, SEEK_SET) != 0 ||
        lseek(stream->descriptor, position, SEEK_SET) < 0)
        return error_set_system(error, "cannot go to byte %lld of %s", (long long)position,
                                stream->name);
    return 0;
}

static int compare_both(struct stdio *stdio, const struct stdio_state state[2], int64_t cut[2],
                        enum stdio_outcome outcome[2], struct error *error)
{
    struct stat status;
    for (int i = 0; i < 2; i++) {
        struct stream *stream = &stdio->streams[i];
        outcome[i] = stdio->shared ? STDIO_SHARED : STDIO_AS_IT_WAS;
        if (stdio->shared || !stream->regular || !state[i].regular)
            continue;
        if (fstat(stream->descriptor, &status) != 0)
            return error_set_system(error, "cannot look at %s", stream->name);
        outcome[i] = compare(stream, &state[i], &status, &cut[i]);
        if (outcome[i] == STDIO_EMPTIED && i == 0 && stdio->output != NULL)
            return error_set(error, ERROR_INVALID,
                             "%s is %lld bytes long, %lld were written when the snapshot was saved",
                             stdio->output, (long long)status.st_size,
                             (long long)state[i].position);
    }
    return 0;
}

int stdio_restore(struct stdio *stdio, const struct stdio_state state[2], int64_t cut[2],
                  enum stdio_outcome outcome[2], struct error *error)
{
    int code = compare_both(stdio, state, cut, outcome, error);
    for (int i = 0; code == 0 && i < 2; i++)
        if (!stdio->shared && state[i].regular && stdio->streams[i].regular &&
            outcome[i] <= STDIO_KEPT)
            code = put_back(&stdio->streams[i], cut[i], error);
    return code;
}

/* ------------------------------------------------------------------ a run that never saved */

void stdio_look(struct stdio *stdio, struct stdio_place place[2])
{
    struct stat info;
    for (int i = 0; i < 2; i++) {
        const struct stream *stream = &stdio->streams[i];
        place[i] = (struct stdio_place){.length = -1};
        fflush(stream->file);
        if (!stream->regular || fstat(stream->descriptor, &info) != 0)
            continue;
        place[i].length = position_of(stream);
        place[i].device = (int64_t)info.st_dev;
        place[i].inode = (int64_t)info.st_ino;
    }
}

void stdio_undo(struct stdio *stdio, const struct stdio_place place[2])
{
    struct stdio_place now[2];
    struct error error;
    stdio_look(stdio, now);
    for (int i = 0; i < 2; i++)
        if (place[i].length >= 0 && now[i].length > place[i].length &&
            now[i].device == place[i].device && now[i].inode == place[i].inode)
            (void)put_back(&stdio->streams[i], place[i].length, &error); /* best effort */
}
