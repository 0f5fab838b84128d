/*
 * The file: lines of LINE_SIZE bytes, padded with spaces, then the mark, then the text of notes.
 *
 *     4711 node7
 *     note 6 384 12 <32 hexadecimal digits>
 *     note 7 396 20 <...>
 *     mark 9 <32 hexadecimal digits>
 *     the text of the mark
 *
 * The first names the holder. The others are two slots, each with the sequence number of a note,
 * where its text begins, its length in bytes, and XXH3-128 of these three numbers and the text. The
 * valid slot with the higher number is the note. A new one goes into the other slot, its text
 * beside that of the old one: whatever is interrupted, a kill, a power loss, a full disk, one of
 * the two is whole. The mark has its length, and XXH3-128 of that and the text, and is written over
 * the one before.
 */
#include "store/lock.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "store/checksum.h"
#include "store/disk.h"
#include "store/generations.h"

enum {
    LINE_SIZE = 128, /* all three lie in one sector of 512 bytes */
    MARK_START = 3 * LINE_SIZE,
    MARK_HEAD = 64, /* bytes, at most, of the mark's first line */
    TEXT_START = 12 * LINE_SIZE,
    NOTE_MAX = 64 * 1024 * 1024, /* longer ones are not believed */
    POLL_MS = 30,
    RACES_MAX =
        100 /* a lock file that was removed under our hands so often in a row is never ours */
};

_Static_assert(MARK_START + MARK_HEAD + LOCK_MARK_MAX <= TEXT_START, "no room for the mark");

/* A slot and what it refers to. */
struct note {
    uint64_t sequence, offset, length;
    char *text; /* ended by 0; owned */
};

struct lock {
    char *name;
    int fd; /* -1 in a child that left it to its parent */
    int is_real;
    struct checksum *checksum;
    int slot;         /* the one that holds the note that counts, 0 or 1 */
    int is_in_folder; /* the folder was synced after the file was made */
    int is_put;       /* the note that counts is not synced */
    struct note current;
    struct checksum *mark_checksum; /* its own, as marks may be set by another thread */
    char mark[LOCK_MARK_MAX + 1];
};

/* ---- the note */

/* Fills line with what describes the note. */
static void slot_line(struct checksum *checksum, const struct note *note, char line[LINE_SIZE])
{
    unsigned char digest[CHECKSUM_SIZE];
    int used = snprintf(line, LINE_SIZE, "note %" PRIu64 " %" PRIu64 " %" PRIu64 " ",
                        note->sequence, note->offset, note->length);
    checksum_reset(checksum);
    checksum_add(checksum, line, (size_t)used);
    checksum_add(checksum, note->text, (size_t)note->length);
    checksum_digest(checksum, digest);
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        used += snprintf(line + used, LINE_SIZE - (size_t)used, "%02x", digest[i]);
    memset(line + used, ' ', LINE_SIZE - (size_t)used);
    line[LINE_SIZE - 1] = '\n';
}

/* Reads the numbers; whether they are right is seen when the line is made again from them. */
static int parse_slot(const char line[LINE_SIZE], struct note *note)
{
    char text[LINE_SIZE];
    memcpy(text, line, LINE_SIZE - 1);
    text[LINE_SIZE - 1] = '\0';
    if (strncmp(text, "note ", 5) != 0)
        return 0;
    char *next = text + 5;
    note->sequence = strtoull(next, &next, 10);
    note->offset = strtoull(next, &next, 10);
    note->length = strtoull(next, &next, 10);
    return note->sequence < INT64_MAX && note->offset >= TEXT_START &&
           note->offset < INT64_MAX / 2 && note->length <= NOTE_MAX;
}

/* 1 and the note if that slot has a valid one, 0 if not, or ERROR_MEMORY. */
static int read_slot(const struct lock *lock, int slot, struct note *note)
{
    char line[LINE_SIZE], again[LINE_SIZE];
    struct stat info;
    off_t at = LINE_SIZE * (1 + slot);
    if (disk_read_at(lock->fd, line, sizeof line, at) != sizeof line || !parse_slot(line, note) ||
        fstat(lock->fd, &info) != 0 || note->offset + note->length > (uint64_t)info.st_size)
        return 0;
    size_t length = (size_t)note->length;
    note->text = malloc(length + 1);
    if (note->text == NULL)
        return ERROR_MEMORY;
    note->text[length] = '\0';
    if (disk_read_at(lock->fd, note->text, length, (off_t)note->offset) == (ssize_t)length) {
        slot_line(lock->checksum, note, again);
        if (memcmp(line, again, sizeof line) == 0)
            return 1;
    }
    free(note->text);
    note->text = NULL;
    return 0;
}

static int read_note(struct lock *lock)
{
    for (int slot = 0; slot < 2; slot++) {
        struct note note = {0};
        int status = read_slot(lock, slot, &note);
        if (status < 0)
            return status;
        if (status == 1 && note.sequence > lock->current.sequence) {
            free(lock->current.text);
            lock->current = note;
            lock->slot = slot;
        } else {
            free(note.text);
        }
    }
    return 0;
}

const char *lock_note(const struct lock *lock)
{
    return lock->current.text == NULL ? "" : lock->current.text;
}

/* Where a text finds room beside the one that counts. */
static uint64_t place(const struct note *current, uint64_t length)
{
    return TEXT_START + length <= current->offset || current->sequence == 0
               ? TEXT_START
               : current->offset + current->length;
}

static int sync_note(struct lock *lock)
{
    if (disk_sync_data(lock->fd) != 0 ||
        (!lock->is_in_folder && disk_sync_folder_of(lock->name) != 0))
        return -1;
    lock->is_in_folder = 1;
    lock->is_put = 0;
    return 0;
}

static int write_note(struct lock *lock, const struct note *note, int sync)
{
    char line[LINE_SIZE];
    const struct note *current = &lock->current;
    uint64_t end = note->offset + note->length, old_end = current->offset + current->length;
    slot_line(lock->checksum, note, line);
    /* The new one takes the place of the one before. */
    if (lock->is_put && sync_note(lock) != 0)
        return -1;
    if (disk_write_at(lock->fd, note->text, (size_t)note->length, (off_t)note->offset) != 0 ||
        disk_write_at(lock->fd, line, sizeof line, LINE_SIZE * (2 - lock->slot)) != 0 ||
        ftruncate(lock->fd, (off_t)(end > old_end ? end : old_end)) != 0)
        return -1;
    return sync ? sync_note(lock) : 0;
}

static int replace_note(struct lock *lock, const char *text, int sync, struct error *error)
{
    struct note note = {.sequence = lock->current.sequence + 1, .length = strlen(text)};
    if (note.length > NOTE_MAX)
        return error_set(error, ERROR_INVALID, "the note for %s is too long", lock->name);
    note.offset = place(&lock->current, note.length);
    note.text = generations_name(text, "");
    if (note.text == NULL)
        return error_set(error, ERROR_MEMORY, "out of memory while writing %s", lock->name);
    if (write_note(lock, &note, sync) != 0) {
        error_set_system(error, "cannot write %s", lock->name);
        free(note.text);
        return ERROR_SYSTEM;
    }
    free(lock->current.text);
    lock->current = note;
    lock->slot = 1 - lock->slot;
    lock->is_put = !sync;
    return 0;
}

/* ---- the mark */

/* Writes the first line, with its newline. Returns its length. */
static size_t mark_head(struct checksum *checksum, const char *text, size_t length,
                        char head[MARK_HEAD])
{
    unsigned char digest[CHECKSUM_SIZE];
    int used = snprintf(head, MARK_HEAD, "mark %zu ", length);
    checksum_reset(checksum);
    checksum_add(checksum, head, (size_t)used);
    checksum_add(checksum, text, length);
    checksum_digest(checksum, digest);
    for (int i = 0; i < CHECKSUM_SIZE; i++)
        used += snprintf(head + used, MARK_HEAD - (size_t)used, "%02x", digest[i]);
    head[used++] = '\n';
    return (size_t)used;
}

static void read_mark(struct lock *lock)
{
    char file[MARK_HEAD + LOCK_MARK_MAX + 1] = "", head[MARK_HEAD];
    size_t length;
    ssize_t got = disk_read_at(lock->fd, file, sizeof file - 1, MARK_START);
    if (got <= 0 || sscanf(file, "mark %4zu ", &length) != 1 || length > LOCK_MARK_MAX)
        return;
    const char *text = memchr(file, '\n', MARK_HEAD);
    if (text == NULL || text + 1 + length > file + got)
        return;
    text++;
    size_t size = mark_head(lock->mark_checksum, text, length, head);
    if (size != (size_t)(text - file) || memcmp(file, head, size) != 0)
        return;
    memcpy(lock->mark, text, length);
    lock->mark[length] = '\0';
}

const char *lock_mark(const struct lock *lock)
{
    return lock->mark;
}

void lock_set_mark(struct lock *lock, const char *text)
{
    char file[MARK_HEAD + LOCK_MARK_MAX];
    size_t length = strnlen(text, LOCK_MARK_MAX);
    size_t size = mark_head(lock->mark_checksum, text, length, file);
    memcpy(file + size, text, length);
    (void)disk_write_at(lock->fd, file, size + length, MARK_START);
}

int lock_set_note(struct lock *lock, const char *text, struct error *error)
{
    return replace_note(lock, text, 1, error);
}

int lock_put_note(struct lock *lock, const char *text, struct error *error)
{
    return replace_note(lock, text, 0, error);
}

int lock_sync_note(struct lock *lock, struct error *error)
{
    if (!lock->is_put || sync_note(lock) == 0)
        return 0;
    return error_set_system(error, "cannot write %s", lock->name);
}

/* ---- the lock */

/* Only messages need this line: a disk that is full is no reason not to run. */
static void write_holder(const struct lock *lock)
{
    char line[LINE_SIZE], host[65] = "";
    if (gethostname(host, sizeof host - 1) != 0 || host[0] == '\0')
        snprintf(host, sizeof host, "localhost");
    int used = snprintf(line, sizeof line, "%ld %s", (long)getpid(), host);
    memset(line + used, ' ', sizeof line - (size_t)used);
    line[LINE_SIZE - 1] = '\n';
    (void)disk_write_at(lock->fd, line, sizeof line, 0);
}

static int busy(const struct lock *lock, struct error *error)
{
    char line[LINE_SIZE + 1] = "", host[65];
    long process;
    if (disk_read_at(lock->fd, line, LINE_SIZE, 0) > 0 &&
        sscanf(line, "%19ld %64[A-Za-z0-9._-]", &process, host) == 2)
        return error_set(error, ERROR_BUSY, "process %ld on %s holds %s", process, host,
                         lock->name);
    return error_set(error, ERROR_BUSY, "another process holds %s", lock->name);
}

static int open_lock(struct lock *lock, struct error *error)
{
    struct stat info;
    lock->fd = disk_open(lock->name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0666);
    if (lock->fd < 0 && errno == ELOOP)
        return error_set_system(error, "cannot lock %s, a symbolic link; remove it", lock->name);
    if (lock->fd < 0)
        return error_set_system(error, "cannot make the lock file %s", lock->name);
    if (fstat(lock->fd, &info) != 0)
        return error_set_system(error, "cannot look at %s", lock->name);
    if (!S_ISREG(info.st_mode))
        return error_set(error, ERROR_SYSTEM, "cannot lock %s: it is not a regular file; remove it",
                         lock->name);
    return 0;
}

/* Returns 0, ERROR_BUSY, ERROR_NO_LOCKS or ERROR_SYSTEM with errno. */
static int set_lock(int fd)
{
    struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    while (fcntl(fd, F_OFD_SETLK, &whole) != 0) {
        if (errno == EINTR)
            continue;
        if (errno == EAGAIN || errno == EACCES)
            return ERROR_BUSY;
        if (errno == ENOLCK || errno == EINVAL || errno == ENOTSUP || errno == ENOSYS)
            return ERROR_NO_LOCKS;
        return ERROR_SYSTEM;
    }
    return 0;
}

/* One attempt. Returns 0 with the lock held and the file open; ERROR_BUSY; ERROR_ABSENT if the file
 * was removed by its last holder while we waited for it, so that we hold something that nobody else
 * will find; or another error. */
static int try_lock(struct lock *lock, struct error *error)
{
    int status = open_lock(lock, error);
    if (status != 0)
        return status;
    status = set_lock(lock->fd);
    if (status == ERROR_SYSTEM)
        return error_set_system(error, "cannot lock %s", lock->name);
    if (status == ERROR_BUSY)
        return busy(lock, error);
    if (!disk_is_open_as(lock->name, lock->fd))
        return ERROR_ABSENT;
    lock->is_real = status != ERROR_NO_LOCKS;
    return 0;
}

static void close_lock(struct lock *lock)
{
    if (lock->fd >= 0)
        (void)disk_close(lock->fd);
    lock->fd = -1;
}

static void pause_before_retry(void)
{
    struct timespec time = {.tv_nsec = POLL_MS * 1000000L};
    nanosleep(&time, NULL);
}

static int wait_for_lock(struct lock *lock, double seconds, struct error *error)
{
    double deadline = clock_monotonic() + seconds;
    int races = 0;
    for (;;) {
        int status = try_lock(lock, error);
        if (status == 0)
            return 0;
        close_lock(lock);
        if (status == ERROR_ABSENT && ++races < RACES_MAX)
            continue;
        if (status == ERROR_ABSENT)
            return error_set(error, ERROR_BUSY, "%s is removed again and again", lock->name);
        if (status != ERROR_BUSY)
            return status;
        if (clock_monotonic() >= deadline)
            return status;
        pause_before_retry();
    }
}

static struct lock *lock_new(const char *file)
{
    struct lock *lock = calloc(1, sizeof *lock);
    if (lock == NULL)
        return NULL;
    lock->fd = -1;
    lock->name = generations_name(file, ".lock");
    lock->checksum = checksum_new();
    lock->mark_checksum = checksum_new();
    if (lock->name != NULL && lock->checksum != NULL && lock->mark_checksum != NULL)
        return lock;
    lock_release(lock, 0);
    return NULL;
}

struct lock *lock_acquire(const char *file, double seconds, struct error *error)
{
    struct lock *lock = lock_new(file);
    int status = lock == NULL ? ERROR_MEMORY : wait_for_lock(lock, seconds, error);
    if (status == 0) {
        status = read_note(lock);
        if (status == 0) {
            read_mark(lock);
            write_holder(lock);
            return lock;
        }
    }
    if (status == ERROR_MEMORY)
        error_set(error, ERROR_MEMORY, "out of memory while locking %s", file);
    lock_release(lock, 0);
    return NULL;
}

int lock_is_real(const struct lock *lock)
{
    return lock->is_real;
}

void lock_leave_to_parent(struct lock *lock)
{
    close_lock(lock);
}

void lock_release(struct lock *lock, int remove)
{
    if (lock == NULL)
        return;
    /* Still held: whoever waits finds that the file is gone, and makes a new one. Not the file of
     * another process, should ours have been removed by hand. */
    if (remove && lock->fd >= 0 && disk_is_open_as(lock->name, lock->fd))
        (void)unlink(lock->name);
    close_lock(lock);
    checksum_free(lock->checksum);
    checksum_free(lock->mark_checksum);
    free(lock->current.text);
    free(lock->name);
    free(lock);
}
