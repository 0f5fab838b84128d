/*
 * Runs of a script with job/files, each a process of its own, which is killed in earnest (die()).
 *
 * What a snapshot would hold is written as Lua source to the file "snap": what files_push gave, and
 * the globals that are numbers, booleans or FILE*. A run continues from it if it is there. The
 * journal is in "journal", warnings in "warnings", the message of a run that failed in "error".
 */
#ifndef CKPTLUA_TESTS_FILES_RUN_H
#define CKPTLUA_TESTS_FILES_RUN_H

#include <stdint.h>

#include <lua.h>

enum { KILLED = 256 }; /* what run_script returns for a run that has died; else its exit code */

/* For cmocka_unit_test_setup_teardown: a folder of its own, as the current one. */
int run_setup(void **state);
int run_teardown(void **state);
void run_again(void);
const char *run_folder(void);

void run_put(const char *name, const char *text);

/* The text of a file, "(none)" if it is not there; in one of a few static buffers. */
const char *run_get(const char *name);
void run_assert_file(const char *name, const char *text);
void run_assert_has(const char *text, const char *part);

/* Open descriptors of this process. */
int run_descriptors(void);

/* lua_CFunction: opens the libraries, files_open, and functions for scripts. */
int run_open(lua_State *L);

/* 0: the script ended well, 1: it failed, 3: it could not be continued, 4: it could not finish.
 * The global `chance` is the seed. */
int run_seeded(const char *script, uint64_t seed);
int run_script(const char *script);

/* Runs it and expects that code; else the script's error is shown. */
#define expect(code, script)                                     \
    do {                                                         \
        int got = run_script(script);                            \
        if (got != (code))                                       \
            fail_msg("exit code %d: %s", got, run_get("error")); \
    } while (0)

#endif
