/*
 * One process runs a job: FILE.lock, beside the snapshot, locked for as long as the process lives.
 * The lock is an open-file-description lock (fcntl F_OFD_SETLK) on a file of its own, so that
 * replacing the snapshot does not lose it. The file also names its holder, and it has room for a
 * short note that outlives a killed holder (lock_note).
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

/* To be called in a forked child: closes its copy, so that the lock dies with the parent. */
void lock_leave_to_parent(struct lock *lock);

/* Releases it; the file is removed if `remove` is set (the job has ended). NULL is fine. */
void lock_release(struct lock *lock, int remove);

#endif
