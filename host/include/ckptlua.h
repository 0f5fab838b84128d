/*
 * ckptlua: runs a Lua 5.4 script, saves its state to a snapshot file from time to time, and
 * continues it after any interruption.
 *
 * Threads: a host belongs to the thread that made it. Only ckptlua_request may be called from
 * others, and from signal handlers. Several hosts may live in one process; they share nothing.
 * The library calls no exit, installs no signal handlers and prints nothing unless it is asked to.
 * Each running host has one helper thread that keeps time; it takes no signals.
 *
 * Not promised: the layout of the structures behind the pointers, the wording of messages.
 */
#ifndef CKPTLUA_H
#define CKPTLUA_H

#include <stddef.h>

#include <lua.h>

#ifdef __cplusplus
extern "C" {
#endif

#define CKPTLUA_VERSION_MAJOR 0
#define CKPTLUA_VERSION_MINOR 1
#define CKPTLUA_VERSION_PATCH 0
#define CKPTLUA_VERSION "0.1.0"

#if defined(__GNUC__)
#define CKPTLUA_API __attribute__((visibility("default")))
#else
#define CKPTLUA_API
#endif

/* What ckptlua_run returns, and what the program exits with. */
enum {
    CKPTLUA_OK = 0,           /* the job ended well */
    CKPTLUA_FAILED = 1,       /* the job raised an error; the last snapshot stays */
    CKPTLUA_USAGE = 2,        /* wrong use: option, script, syntax */
    CKPTLUA_UNUSABLE = 3,     /* a snapshot is there and cannot be used */
    CKPTLUA_NOT_SAVED = 4,    /* a save before an exit failed; the previous snapshot is intact */
    CKPTLUA_BUSY = 5,         /* another process is running this job */
    CKPTLUA_AGAIN = 85,       /* saved: run it again (option exit-code changes it) */
    CKPTLUA_INTERRUPTED = 130 /* saved after SIGINT */
};

typedef struct ckptlua ckptlua;

/* The version of the library that is linked, such as "0.1.0". */
CKPTLUA_API const char *ckptlua_version(void);

/* ---------------------------------------------------------------- running a job */

/* Makes a host. Returns NULL when out of memory. */
CKPTLUA_API ckptlua *ckptlua_new(void);

/* Frees a host that is not running. NULL is fine. */
CKPTLUA_API void ckptlua_free(ckptlua *host);

/* An option of a job; the same names as on the command line, without the dashes. */
typedef struct ckptlua_option {
    const char *name;     /* "interval" */
    const char *argument; /* "D", NULL for a flag, "[=no]" for a flag that may have a value */
    const char *summary;  /* one line for --help, the default in it */
} ckptlua_option;

/* All options, ended by one whose name is NULL. */
CKPTLUA_API const ckptlua_option *ckptlua_options(void);

/* Sets an option: ckptlua_set(host, "interval", "5m"). A flag's value is NULL.
 * Returns CKPTLUA_OK, or CKPTLUA_USAGE and a message (ckptlua_message). */
CKPTLUA_API int ckptlua_set(ckptlua *host, const char *name, const char *value);

/* Takes options from the environment: CKPTLUA_INTERVAL=5m and so on; those that ckptlua_set has
 * set stay. Returns as ckptlua_set does. */
CKPTLUA_API int ckptlua_set_from_environment(ckptlua *host);

/* Runs script with arguments argv[0..argc-1], or continues it if its snapshot is there, and
 * returns an exit code: one of the above, or what the script gave to os.exit.
 * Prints messages through ckptlua_on_message. A host can run once. */
CKPTLUA_API int ckptlua_run(ckptlua *host, const char *script, int argc, char *const argv[]);

/* The last message of a failure, "" if none; valid until the next call for this host. */
CKPTLUA_API const char *ckptlua_message(const ckptlua *host);

/* Where messages go: one call a message, text without a prefix and without a newline at the end
 * (it may have several lines). Without it they are dropped.
 * May be called from the helper thread, never from two threads at once. */
typedef void ckptlua_message_function(void *context, const char *text);
CKPTLUA_API void ckptlua_on_message(ckptlua *host, ckptlua_message_function *function,
                                    void *context);

/* Called on the new lua_State before the script is run, to open libraries of one's own, name
 * functions and register types. May raise Lua errors: the run then fails. The extra space of the
 * state (lua_getextraspace) belongs to ckptlua. */
typedef void ckptlua_open_function(void *context, lua_State *L);
CKPTLUA_API void ckptlua_on_open(ckptlua *host, ckptlua_open_function *function, void *context);

/* How a job that ends in the middle of its script (os.exit, ckpt.exit, a signal) leaves it.
 * With a function: it is called with the exit code when all is saved and flushed, and must not
 * return. (A job that does not reach a safe point in time after a signal ends by _exit then.) The
 * script is not touched again: no __close, no __gc, unless it calls os.exit(code, true). Without
 * one (the default): the script is unwound by an error that it cannot catch, and ckptlua_run
 * returns. */
typedef void ckptlua_exit_function(void *context, int code);
CKPTLUA_API void ckptlua_on_exit(ckptlua *host, ckptlua_exit_function *function, void *context);

/* Has ckptlua_run install handlers for TERM, USR1, HUP, XCPU, USR2 and INT, as the program does,
 * and put the old ones back when it returns. One host of a process at a time can have them. With
 * them, save = "auto" may fork as well. */
CKPTLUA_API void ckptlua_handle_signals(ckptlua *host, int on);

/* Asks for a save at the next safe point; with CKPTLUA_THEN_EXIT the job ends behind it with the
 * checkpoint code. Async-signal-safe, and may be called from any thread at any time between
 * ckptlua_new and ckptlua_free: before ckptlua_run has come to the script it counts for the first
 * safe point, and when the job has ended it does nothing. */
enum { CKPTLUA_THEN_CONTINUE, CKPTLUA_THEN_EXIT };
CKPTLUA_API void ckptlua_request(ckptlua *host, int then);

/* ---------------------------------------------------------------- values of one's own */

/* Memory of a userdata that is saved as it is. */
typedef struct ckptlua_block {
    void *data;
    size_t size; /* bytes, a multiple of: */
    int width;   /* bytes of a number: 1, 2, 4 or 8. In the file the lowest byte comes first */
} ckptlua_block;

/* A type of full userdata, known by the name of its metatable (luaL_newmetatable). */
typedef struct ckptlua_type {
    const char *name;
    /* The userdata is at index. Pushes one string that holds its state, or raises an error that
     * says why it cannot be saved. */
    void (*save)(lua_State *L, int index);
    /* Pushes a userdata of that state, or raises an error. Runs while a snapshot is read: it must
     * not call into the script. The snapshot may be a hostile one: check everything. */
    void (*load)(lua_State *L, const char *data, size_t size);

    /* The rest may be NULL. With it large memory goes to the file and back without a copy. */

    /* After save, raising no errors: fills *block with block `number`, from 0, of the userdata at
     * index, and returns 1; or 0 if there are no more. Its bytes stay as they are until the next
     * call. */
    int (*save_block)(lua_State *L, int index, int number, ckptlua_block *block);
    /* After load: the file has block->size bytes of that width. Fills block->data with where they
     * are to be, or raises an error if it expects others. */
    void (*load_block)(lua_State *L, int index, int number, ckptlua_block *block);
    /* All blocks there are have been read. Raises an error if they make no sense. */
    void (*loaded)(lua_State *L, int index);
} ckptlua_type;

/* Makes the type known to a state: that of ckptlua_on_open, or one for ckptlua_load. The
 * structure must outlive the state. */
CKPTLUA_API void ckptlua_register(lua_State *L, const ckptlua_type *type);

/* Gives the C function or table on top of the stack a name by which snapshots refer to it; pops
 * nothing. What is in a global or in package.loaded when the script starts has one already. */
CKPTLUA_API void ckptlua_name(lua_State *L, const char *name);

/* Tells that a userdata has got so many bytes outside of Lua's memory, or, where negative, that it
 * has given them back: garbage is collected the sooner. Of objects that are loaded too; in a state
 * that is no job's it does nothing. */
CKPTLUA_API void ckptlua_allocated(lua_State *L, ptrdiff_t bytes);

/* ---------------------------------------------------------------- snapshots without a job */

/* These work on any lua_State with its standard libraries open, and raise Lua errors. */

/* Writes the table at index as FILE, at once and safely: each string key a variable. */
CKPTLUA_API void ckptlua_save(lua_State *L, const char *file, int index);

/* Pushes a table of all variables in FILE. What only the job itself could make (its functions,
 * objects of its classes, userdata of unknown types) is there as a stand-in. */
CKPTLUA_API void ckptlua_load(lua_State *L, const char *file);

/* If the value at index is such a stand-in, pushes what it stands for, as text ("function f",
 * "object of class Account"), and returns 1; else 0. */
CKPTLUA_API int ckptlua_describe(lua_State *L, int index);

/* Pushes the header of FILE as a table; docs/format.md lists its fields. `bytes` is added, the
 * size of FILE. The checksum of the whole file has been verified. */
CKPTLUA_API void ckptlua_load_header(lua_State *L, const char *file);

#ifdef __cplusplus
}
#endif

#endif
