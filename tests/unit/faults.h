/*
 * System calls and allocations that fail on demand, for tests that are linked with
 * -Wl,--wrap=NAME for each NAME in faults.c. Calls made by shared libraries are not touched.
 *
 * Calls are counted from the last faults_... call that arms something, beginning with 1.
 */
#ifndef CKPTLUA_TESTS_FAULTS_H
#define CKPTLUA_TESTS_FAULTS_H

enum faults_kind {
    FAULTS_NONE,        /* only count */
    FAULTS_FAIL,        /* not made: -1 and errno (a close is made all the same, as Linux does) */
    FAULTS_FAIL_AFTER,  /* made, and reported as failed: an answer lost by the network */
    FAULTS_SHORT,       /* a read or write does half of the work, others all */
    FAULTS_KILL_BEFORE, /* the process is killed on the spot (SIGKILL) */
    FAULTS_KILL_AFTER
};

/* The number-th wrapped system call goes wrong, with this errno. */
void faults_at(int number, enum faults_kind kind, int system);

/* Every call of that name fails; more names may be added. */
void faults_refuse(const char *name, int system);

/* The number-th allocation returns NULL. */
void faults_memory_at(int number);

/* All is well again. The counts stay to be asked for. */
void faults_off(void);

/* Whether the fault of faults_at or faults_memory_at has happened. */
int faults_struck(void);

/* The name of the system call that it happened to, "" if none. */
const char *faults_victim(void);

/* Runs f just before the next call of that name, once. */
void faults_before(const char *name, void (*f)(void));

/* How often that system call was made while something was armed. */
int faults_count(const char *name);

#endif
