/*
 * A snapshot file, as bytes: written so that the old one stays until the new one is safe on disk,
 * read only after its checksum was found right. What the bytes mean is not known here.
 *
 * Writing FILE:
 *   1. snapshot_begin    creates FILE.tmp in the same directory (a leftover one is removed first)
 *   2. snapshot_write    appends to it, through a buffer, adding to the checksum (XXH3-128)
 *   3. snapshot_commit   writes the trailer, fsync, close (both checked), then
 *                        renames FILE.N-2 to FILE.N-1, ..., links FILE to FILE.1,
 *                        renames FILE.tmp over FILE, and fsyncs the directory
 *      or snapshot_abort removes FILE.tmp
 * At every instant FILE is a complete snapshot, if there ever was one.
 *
 * Exceptions:
 * - A FILE that is a symbolic link stays one: what it points to is replaced, and FILE.tmp, FILE.1
 * and so on are beside that (generations_resolve). A FILE with several names (hard links) is
 * replaced under this one only. The new FILE has the permissions of the old one; its owner, access
 * lists and extended attributes are those of a new file.
 * - No links (FAT, many FUSE and SMB mounts, fs.protected_hardlinks with a FILE of another user):
 *   FILE.1 is a copy, made as FILE.1.tmp, synced and renamed, which costs the time and room of one
 *   more snapshot. With one generation neither link nor copy is made.
 * - Network file systems: that FILE is replaced in one step is as true as the server's rename. On
 * NFS the check of close tells of writes that the server refused; another client may see the old
 * FILE until its caches expire (acregmax, 60 s by default), or ESTALE while it reads an old one. A
 * rename that was done but whose answer was lost is reported as a failure: FILE is then the new
 * snapshot.
 * - A directory that cannot be synced (some file systems; one without read permission) is not:
 * after a power loss FILE may then be the previous snapshot. If it can be and fails,
 * snapshot_commit reports a failure although FILE is the new snapshot already.
 */
#ifndef CKPTLUA_STORE_SNAPSHOT_H
#define CKPTLUA_STORE_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct snapshot_writer;
struct snapshot_reader;

/* Starts a new FILE. Returns NULL with *error filled; ERROR_NOT_SNAPSHOT where a directory or
 * another thing that is no regular file has that name. */
struct snapshot_writer *snapshot_begin(const char *file, struct error *error);

/* Appends size bytes. After a failure only snapshot_abort may follow. */
int snapshot_write(struct snapshot_writer *writer, const void *data, size_t size,
                   struct error *error);

/* Bytes written so far. */
uint64_t snapshot_written(const struct snapshot_writer *writer);

/* Makes what was written the new FILE, with up to `generations` complete ones in all; with 0,
 * FILE.1 and so on are none of ours and are left alone. Frees the writer in any case; after a
 * failure FILE is as it was (but see above) and FILE.tmp is gone. */
int snapshot_commit(struct snapshot_writer *writer, int generations, struct error *error);

/* Gives up: removes FILE.tmp and frees the writer. NULL is fine. */
void snapshot_abort(struct snapshot_writer *writer);

/* Opens FILE and checks it from end to end. Returns NULL with error->code
 *   ERROR_ABSENT        there is none, or it is empty
 *   ERROR_NOT_SNAPSHOT  a directory or other non-regular file, or it does not begin like a snapshot
 *   ERROR_NEWER         its format number is above FORMAT_VERSION
 *   ERROR_DAMAGED       length or checksum is wrong, or it only ends like a snapshot
 *   ERROR_SYSTEM        it cannot be read */
struct snapshot_reader *snapshot_open(const char *file, struct error *error);

/* Bytes between the start of the file and the trailer. */
uint64_t snapshot_size(const struct snapshot_reader *reader);

/* Reads the next min(size, what is left) bytes into data. Returns their number, 0 at the end, or a
 * negative error code. The checksum is computed again on the way, and at the end compared again:
 * a file that changed since snapshot_open is ERROR_DAMAGED. */
int64_t snapshot_read(struct snapshot_reader *reader, void *data, size_t size, struct error *error);

void snapshot_close(struct snapshot_reader *reader);

#endif
