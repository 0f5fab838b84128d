/*
 * What is known of a job's files, per lua_State: the handles it has open, every file it has opened
 * for writing, and the journal. Shared by files.c (saving, continuing) and iolib.c (opening).
 */
#ifndef CKPTLUA_JOB_FILETABLE_H
#define CKPTLUA_JOB_FILETABLE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>

#include <lua.h>

#include "job/files.h"
#include "job/paths.h"

/* No length before the job: the first that the job did to the file was not to append to it. */
enum { FILE_UNKNOWN = -2 };

/* A file that was opened for writing; a userdata. */
struct file {
    int64_t before; /* its length before the job first appended to it; -1: it was not there */
    int64_t saved;  /* its length in the last snapshot; -1: it is not in there */
    int64_t pushed; /* the same for the last files_push, whose save may still fail */
    bool written;   /* was opened with success */
    bool dirty;     /* may have bytes that were not synced */
    bool entered;   /* its directory was changed and not synced */
    bool open;      /* for files_flush: a handle that writes to it is open */
    bool known;     /* its length before the job is in the journal, or need not be */
    bool rewritten; /* the journal says that the saved bytes are gone */
    bool lost;      /* a write failed, and stdio drops what it could not write */
    char path[];    /* as recorded: see paths.h */
};

enum handle_kind {
    HANDLE_FILE,
    HANDLE_DEVICE, /* has no length and no position */
    HANDLE_NAMED_PIPE,
    HANDLE_PIPE,     /* io.popen */
    HANDLE_TEMPORARY /* io.tmpfile */
};

/* What is known of a FILE*; a userdata whose uservalue 1 is the struct file, if it writes. */
struct handle {
    lua_Integer number; /* for life, also in continued processes; from 1 */
    enum handle_kind kind;
    char mode[4];     /* "r", "w", "a", then "+" if so, then "b" if so */
    const char *name; /* as given; points into path[] */
    char path[];      /* as recorded */
};

/* Warnings, each given once. */
enum filetable_cause {
    CAUSE_REMOVE,
    CAUSE_RENAME,
    CAUSE_EXECUTE,
    CAUSE_POPEN,
    CAUSE_TMPNAME,
    CAUSE_OVERWRITE,
    CAUSE_PIPE,
    CAUSE_DEFAULT,
    CAUSE_STDIN,
    CAUSE_REWRITTEN
};

struct filetable {
    const struct files_host *host;
    lua_Integer next;     /* the number of the next handle */
    size_t kept;          /* bytes of the journal that the last files_push makes needless */
    unsigned warned;      /* 1 << enum filetable_cause */
    int64_t stdin_start;  /* offset of descriptor 0 when the job started; -1: not a file */
    bool stdin_moved;     /* it was put to another offset since */
    bool is_closing;      /* the job has ended well, or is about to */
    lua_CFunction input;  /* the stock io.input ... */
    lua_CFunction output; /* ... and io.output */
    char start[PATH_MAX]; /* the directory in which the job was started: paths_directory */
};

/* The parts of the table that are Lua tables or strings: its user values. */
enum filetable_part {
    FILETABLE_HANDLES = 1, /* FILE* (weak) -> struct handle */
    FILETABLE_FILES,       /* identity -> struct file */
    FILETABLE_JOURNAL,     /* the text so far */
    FILETABLE_RESTORED     /* number -> description, or FILE* once it was asked for */
};

/* Numbers of files that are no handle of the table. */
enum { FILETABLE_OWN = -2, FILETABLE_STDERR = -1, FILETABLE_CLOSED = 0 };

/* What a closed FILE* is saved as. */
#define FILETABLE_CLOSED_NAME "closed"

/* Makes the table of this state, with that __gc. */
struct filetable *filetable_new(lua_State *L, const struct files_host *host,
                                lua_CFunction finalize);

/* The table of this state; leaves the stack as it is. */
struct filetable *filetable_get(lua_State *L);

/* Between the two, what is made is the table's own (ZONE_HOSTS): a continued job makes it at other
 * moments and in other sizes, so it must not count for the script's collections. Nothing may be
 * raised there, but that memory runs out. The first returns what the second is given. */
int filetable_begin_own(lua_State *L);
void filetable_end_own(lua_State *L, int before);

/* [-0, +1] and [-1, +0] */
void filetable_push(lua_State *L, enum filetable_part part);
void filetable_set(lua_State *L, enum filetable_part part);

/* Pushes an array: the FILE* of all handles, or all struct files. What is done for each of them may
 * run finalizers of the script, which may open files: the tables themselves must not be walked
 * while anything is allocated. */
void filetable_list(lua_State *L, enum filetable_part part);

/* Entry i of such an array. Pushes the struct file of the one at index `list`; or the FILE* of the
 * one on top of the stack: returns NULL where that is closed, or one of the library's own. */
struct file *filetable_list_file(lua_State *L, int list, lua_Integer i);
struct handle *filetable_open_handle(lua_State *L, lua_Integer i, FILE **stream);

/* The stream of the FILE* at index; NULL if it is closed. */
FILE *filetable_stream(lua_State *L, int index);

/* The file at that place; pushes it and makes it first, if it is not known and `make` is set.
 * Returns NULL and pushes nil otherwise. */
struct file *filetable_file(lua_State *L, const struct place *place, bool make);

/* Finds the file where it was recorded, and looks at it. Returns false where it is gone, or no
 * regular file any more; raises where that cannot be told. */
bool filetable_look(lua_State *L, const struct file *file, struct place *place,
                    struct stat *status);

/* What is known of the FILE* at index, or NULL. */
struct handle *filetable_handle(lua_State *L, int index);

/* The file that the FILE* at index writes to, or NULL. It lives as long as the FILE* is known. */
struct file *filetable_file_of(lua_State *L, int index);

/* Makes the FILE* at index known, as number `number` or with 0 the next one. A file for writing
 * must be known already. */
void filetable_add(lua_State *L, int index, const struct handle *what, const struct place *place,
                   lua_Integer number);

/* The closef of all FILE* that are files: as the stock one, and notes a failure, for the host when
 * the state is being closed. */
int filetable_close(lua_State *L);

/* The bytes that a snapshot, which is there or is being written, counts on; 0 if none does. */
int64_t filetable_recorded(const struct file *file);

/* Whether a mode such as "r+" writes. */
bool filetable_writes(const char *mode);

/* Takes a mode as io.open knows it apart. Returns 0, or -1 where io.open would refuse it. */
int filetable_mode(const char *mode, char out[4]);

/* Gives the warning, unless one of that cause was given. `format` as in lua_pushfstring. */
void filetable_warn(lua_State *L, enum filetable_cause cause, const char *format, ...);

/* Raises an error whose message has no position in it. */
_Noreturn void filetable_raise(lua_State *L, const char *format, ...);

/* The same for a failed system call: ": " and the text of errno follow the message. */
_Noreturn void filetable_raise_system(lua_State *L, const char *format, ...);

#endif
