/*
 * The files that a job writes: found by name, mode and position in a snapshot, and put back to
 * that position when the job continues, so that no line is missing and none appears twice.
 *
 * files_open replaces io.open, io.output, io.input, io.lines and a few more by ones that remember;
 * the stock functions do the work. What was written to stays known after it is closed.
 *
 *     saving:     files_flush (before anything is written), then files_push (goes into the state
 *                 object of the snapshot); an open file met in the globals is stored as its number
 *     continuing: files_restore (checks lengths, cuts back), then the decoder asks for the handles
 *                 by number, which reopens them
 */
#ifndef CKPTLUA_JOB_FILES_H
#define CKPTLUA_JOB_FILES_H

#include <stddef.h>

#include <lua.h>

#include "base/error.h"
#include "zone/zone.h"

/* Called for a warning, at most once per cause. Must not raise. */
typedef void files_warn_function(void *context, const char *text);

/* The journal: called before the first time since the last snapshot that an existing file is
 * opened in a way that a continue could not undo from the snapshot alone, and by files_saved with
 * what is left of it ("" mostly). `text` is all of the journal, to be kept safe on disk instead of
 * what was there, before this returns. `told` is what a continue from the snapshot just saved does
 * not need, but one from an older snapshot does; "" but in files_saved. Must not raise. */
typedef void files_journal_function(void *context, const char *text, const char *told);

/* What could not be written is told here behind files_finish_at_close. Must not raise. */
typedef void files_failed_function(void *context, const char *text);

struct files_host {
    files_warn_function *warn;
    files_journal_function *journal;
    files_failed_function *failed;
    void *context;
    struct zone *zone; /* of the state, or NULL: what is made for open files is the host's own */
};

/* Installs the replacements in the io and os tables of L; the standard libraries are open. The
 * current directory becomes the one that recorded names are relative to.
 * `host` must outlive L. May raise. */
void files_open(lua_State *L, const struct files_host *host);

/* Flushes every open file written to and syncs it to disk, as well as those closed since the last
 * time. Raises an error that names the file where that fails. */
void files_flush(lua_State *L);

/* Pushes a table (plain data) that describes all files written, and those open for reading; call
 * right after files_flush:
 *     files    path -> length, of all that were written and are still there
 *     before   path -> length before the job, -1 if it was not there, of those of them that the job
 *              first appended to
 *     handles  array of {number, name, path, mode, position, size, buffer = "no" or "line"}
 *     input, output   number of the default file if it is not stdin, stdout; 0: a closed one,
 *                     -1: stderr
 *     stdin    position, if it is a regular file that was read from
 *     next     number of the next handle */
void files_push(lua_State *L);

/* The save of what files_push gave last has succeeded. The journal starts anew, with what came
 * between the two calls. */
void files_saved(lua_State *L);

/* Takes the table at `index` that files_push made in an earlier process and the text of the journal
 * ("" if none), checks all files, and knows them from now on: handles can be asked for. For a fresh
 * start after a run that was killed before its first save, index is 0. Raises a message with both
 * lengths where a file is shorter than recorded or gone. Changes no file. */
void files_restore(lua_State *L, int index, const char *journal);

/* With the same arguments, when all else of the snapshot has proved good: cuts the files back. */
void files_cut(lua_State *L, int index, const char *journal);

/* Saver and loader of the type LUA_FILEHANDLE. The string names a handle of files_push, or a closed
 * one. Saving raises the reason why a file cannot be: "a pipe (io.popen)". The same number gives
 * the same FILE* until the next files_flush, which forgets those that were not asked for. */
void files_save_handle(lua_State *L, int index);
void files_load_handle(lua_State *L, const char *data, size_t size);

/* No further number will be asked for: the handles are the script's alone from now on, to be
 * collected when it has lost them. */
void files_forget(lua_State *L);

/* The job has ended well: closes what it writes, syncs all that was written. Raises on failure. */
void files_finish(lua_State *L);

/* The same when the state is closed, behind the last finalizer of the script: what fails is told
 * to the host, as it was opened with, before lua_close returns. */
void files_finish_at_close(lua_State *L);

#endif
