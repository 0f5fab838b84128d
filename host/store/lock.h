/*
 * One process runs a job: FILE.lock, beside the snapshot, locked for as long as the process lives.
 * The lock is an open-file-description lock (fcntl F_OFD_SETLK) on a file of its own, so that
 * replacing the snapshot does not lose it. The file also names its holder, and it has room for what
 * outlives a killed holder: a note that is safe on disk, and a mark that costs next to nothing.
 */
#ifndef CKPTLUA_STORE_LOCK_H
#define CKPTLUA_STORE_LOCK_H

#include <stddef.h>

#include "base/error.h"

struct lock;

/* Takes FILE.lock, waiting up to `seconds` for another holder. Returns NULL with error->code
 *   ERROR_BUSY      still held: the message names process and host
 *   ERROR_SYSTEM    the lock file cannot be made
 * On a file system without locks it succeeds and lock_is_real() is 0: two processes at once are
 * not noticed there. */
struct lock *lock_acquire(const char *file, double seconds, struct error *error);
int lock_is_real(const struct lock *lock);

/* The note: the one that the last holder left until lock_set_note, "" if none. Belongs to the lock;
 * valid until lock_set_note or lock_release. */
const char *lock_note(const struct lock *lock);

/* Replaces the note, synced to disk. Whatever interrupts it, also a failure: the old note or the
 * new one is there, whole. Text without NUL, up to 64 MiB. */
int lock_set_note(struct lock *lock, const char *text, struct error *error);

/* The same without waiting for the disk: until lock_sync_note, or the next note, a power loss may
 * bring back the one before it, whole. lock_sync_note does nothing where all is synced. */
int lock_put_note(struct lock *lock, const char *text, struct error *error);
int lock_sync_note(struct lock *lock, struct error *error);

/* The mark: the one that the last holder has left, "" if none. Stays what it was when the lock was
 * taken. */
const char *lock_mark(const struct lock *lock);

/* Replaces the mark in the file, without waiting for the disk: after a power loss it may be an
 * older one, or none; a damaged one is none. Text without NUL; what is behind LOCK_MARK_MAX is left
 * out. One thread at a time, which may be another one than that of the note. */
enum { LOCK_MARK_MAX = 1000 };
void lock_set_mark(struct lock *lock, const char *text);

/* To be called in a forked child: closes its copy, so that the lock dies with the parent. */
void lock_leave_to_parent(struct lock *lock);

/* Releases it; the file is removed if `remove` is set (the job has ended). NULL is fine. */
void lock_release(struct lock *lock, int remove);

#endif
