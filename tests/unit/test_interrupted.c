/*
 * What FILE and its generations are after a save, or another change of them, that was interrupted:
 * at each of its system calls in turn the process is killed, or the call fails or does half; and at
 * each of its allocations memory is short. This goes on until the fault comes too late to happen.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "faults.h"
#include "scratch.h"
#include "store/generations.h"
#include "store/snapshot.h"

#define FILE_NAME "mean.ckpt"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum {
    SIZE = 300 * 1024, /* more than the writer's buffer */
    DAMAGED = 9        /* stands for the value of a damaged file in the strings below */
};

#if defined(__SANITIZE_ADDRESS__)
enum { STRIDE = 18 }; /* of kills, see kills(); what is killed tells the sanitizers little */
#else
enum { STRIDE = 3 };
#endif

/* Something that changes the files. */
struct task {
    const char *name;
    int (*run)(int keep, struct error *error);
    void (*prepare)(int keep);
    int before, keep; /* generations kept when preparing and running */
    int links;        /* whether the file system has them */
    /* The states that it may leave, values of FILE, FILE.1, FILE.2, each state ended by a space.
     * The first is what was, the last what is to be. */
    const char *states;
};

static int load(const char *suffix)
{
    char *name = generations_name(FILE_NAME, suffix);
    int value = scratch_load(name);
    free(name);
    return value == ERROR_ABSENT ? 0 : value == ERROR_DAMAGED ? DAMAGED : value;
}

static void read_state(char out[4])
{
    static const char *const suffixes[] = {"", ".1", ".2"};
    for (int i = 0; i < 3; i++)
        out[i] = (char)('0' + load(suffixes[i]));
    out[3] = '\0';
}

/* ---- the tasks */

static void save(int value, int keep)
{
    struct error error = {0};
    if (scratch_save(FILE_NAME, value, 50, keep, &error) != 0)
        fail_msg("%s", error.message);
}

static void prepare_nothing(int keep)
{
    (void)keep;
}

static void prepare_full(int keep)
{
    for (int value = 1; value <= 3; value++)
        save(value, keep);
}

static void prepare_leftovers(int keep)
{
    prepare_full(keep);
    scratch_write(FILE_NAME ".tmp", "left", 4);
    scratch_write(FILE_NAME ".1.tmp", "left", 4);
}

/* As a save leaves it that was killed before its last rename. */
static void prepare_same(int keep)
{
    prepare_full(keep);
    unlink(FILE_NAME ".1");
    assert_int_equal(link(FILE_NAME, FILE_NAME ".1"), 0);
}

static void prepare_damaged(int keep)
{
    prepare_full(keep);
    assert_int_equal(truncate(FILE_NAME, 30), 0);
    scratch_write(FILE_NAME ".bad", "left", 4);
}

static int run_save(int keep, struct error *error)
{
    return scratch_save(FILE_NAME, 4, SIZE, keep, error);
}

static int run_fall_back(int keep, struct error *error)
{
    (void)keep;
    return generations_fall_back(FILE_NAME, 1, error);
}

static int run_set_aside(int keep, struct error *error)
{
    (void)keep;
    return generations_set_aside(FILE_NAME, "old", error);
}

static int run_remove(int keep, struct error *error)
{
    (void)keep;
    return generations_remove(FILE_NAME, error);
}

static int run_keep_as(int keep, struct error *error)
{
    (void)keep;
    return generations_keep_as(FILE_NAME, FILE_NAME "@m", error);
}

static const struct task tasks[] = {
    {"first save", run_save, prepare_nothing, 2, 2, 1, "000 400 "},
    {"one generation", run_save, prepare_full, 1, 1, 1, "300 400 "},
    {"two generations", run_save, prepare_full, 2, 2, 1, "320 330 430 "},
    {"three generations", run_save, prepare_full, 3, 3, 1, "321 302 332 432 "},
    {"from three to two", run_save, prepare_full, 3, 2, 1, "321 331 330 431 430 "},
    {"from three to one", run_save, prepare_full, 3, 1, 1, "321 301 320 300 421 420 401 400 "},
    {"leftovers", run_save, prepare_leftovers, 2, 2, 1, "320 330 430 "},
    {"killed before", run_save, prepare_same, 2, 2, 1, "330 430 "},
    {"no links", run_save, prepare_full, 2, 2, 0, "320 330 430 "},
    {"no links, three", run_save, prepare_leftovers, 3, 3, 0, "321 302 332 432 "},
    {"fall back", run_fall_back, prepare_damaged, 3, 3, 1, "921 201 "},
    {"fall back, no links", run_fall_back, prepare_damaged, 3, 3, 0, "921 201 "},
    {"set aside", run_set_aside, prepare_full, 3, 3, 1, "321 021 020 001 000 "},
    {"remove", run_remove, prepare_full, 3, 3, 1, "321 301 320 300 000 "},
    {"keep as", run_keep_as, prepare_full, 3, 3, 1, "321 "},
    {"keep as, no links", run_keep_as, prepare_full, 3, 3, 0, "321 "},
};

/* ---- what must hold */

static int is_last_state(const struct task *task, const char *now)
{
    size_t size = strlen(task->states);
    return strncmp(task->states + size - 4, now, 3) == 0;
}

static void check_state(const struct task *task, const char *where)
{
    char now[5];
    read_state(now);
    strcat(now, " ");
    if (strstr(task->states, now) == NULL)
        fail_msg("%s, %s: left %s", task->name, where, now);
}

static void check_no_leftovers(const struct task *task, const char *where)
{
    if (strstr(scratch_list(), ".tmp") != NULL)
        fail_msg("%s, %s: left behind: %s", task->name, where, scratch_list());
}

/* The next run cleans up and saves; the generation before is then FILE.1. */
static void check_next_save(const struct task *task, const char *where)
{
    char before[4], after[4];
    read_state(before);
    generations_clean(FILE_NAME);
    check_no_leftovers(task, where);
    save(5, 2);
    read_state(after);
    char first = before[0] == '0' ? before[1] : before[0];
    if (after[0] != '5' || after[1] != first || (before[0] != '0' && after[2] != '0'))
        fail_msg("%s, %s: the next save made %s of %s", task->name, where, after, before);
    check_no_leftovers(task, where);
}

static void begin(const struct task *task)
{
    scratch_empty();
    task->prepare(task->before);
    if (!task->links)
        faults_refuse("link", EPERM);
}

/* ---- a process that is killed */

/* Whether it came to that. */
static int kill_at(const struct task *task, int number, enum faults_kind kind)
{
    struct error error;
    int status;
    begin(task);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        faults_at(number, kind, 0);
        _exit(task->run(task->keep, &error) == 0 ? 0 : 1);
    }
    faults_off();
    assert_int_equal(waitpid(child, &status, 0), child);
    int killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
    assert_true(killed || status == 0);
    return killed;
}

/* At every STRIDE-th call; the seed says at which of them. */
static void kills(enum faults_kind kind)
{
    unsigned long seed = scratch_seed();
    for (size_t i = 0; i < COUNT(tasks); i++) {
        int number = (int)((seed + i) % STRIDE) + 1 - STRIDE, killed;
        do {
            char where[50];
            number += STRIDE;
            snprintf(where, sizeof where, "killed at call %d", number);
            killed = kill_at(&tasks[i], number, kind);
            check_state(&tasks[i], where);
            check_next_save(&tasks[i], where);
        } while (killed);
        if (number + STRIDE < 5)
            fail_msg("%s: only %d calls", tasks[i].name, number);
    }
}

static void killed_before_each_call(void **state)
{
    (void)state;
    kills(FAULTS_KILL_BEFORE);
}

static void killed_after_each_call(void **state)
{
    (void)state;
    kills(FAULTS_KILL_AFTER);
}

/* ---- a call that fails */

static void check_error(const struct task *task, const struct error *error, int status, int system,
                        const char *where)
{
    if (status != error->code || error->message[0] == '\0')
        fail_msg("%s, %s: %d, but the error is %d '%s'", task->name, where, status, error->code,
                 error->message);
    if (status == ERROR_SYSTEM && error->system != system)
        fail_msg("%s, %s: errno %d, not %d (%s)", task->name, where, error->system, system,
                 error->message);
}

/* Calls that a signal may interrupt, and that are then made again, or are done (close). */
static int must_go_on(const char *name, int system)
{
    static const char *const names[] = {"open64", "read", "write", "fsync", "close"};
    for (size_t i = 0; i < COUNT(names) && system == EINTR; i++)
        if (strcmp(name, names[i]) == 0)
            return 1;
    return 0;
}

/* Runs the task with a fault that is armed. Returns whether the fault struck. */
static int run_armed(const struct task *task, int system, const char *where)
{
    char after[4];
    struct error error = {0};
    int descriptors = scratch_descriptors();
    int status = task->run(task->keep, &error);
    int struck = faults_struck();
    faults_off();
    if (scratch_descriptors() != descriptors)
        fail_msg("%s, %s: descriptors leak", task->name, where);
    check_state(task, where);
    if (status != 0) {
        if (must_go_on(faults_victim(), system))
            fail_msg("%s, %s: %s was not made again: %s", task->name, where, faults_victim(),
                     error.message);
        check_error(task, &error, status, system, where);
        if (task->prepare != prepare_leftovers) /* those may be there from before */
            check_no_leftovers(task, where);
    } else if (task->run == run_save) {
        read_state(after);
        assert_int_equal(after[0], '4');
        /* FILE.3 and so on that could not be unlinked are the next save's business. */
        assert_true(struck || is_last_state(task, after));
    }
    check_next_save(task, where);
    return struck;
}

static int count_faults(const struct task *task, enum faults_kind kind, int system)
{
    int number = 0, struck;
    do {
        char where[80];
        snprintf(where, sizeof where, "fault %d with errno %d at call %d", (int)kind, system,
                 ++number);
        begin(task);
        faults_at(number, kind, system);
        struck = run_armed(task, system, where);
    } while (struck);
    return number;
}

static void fails(enum faults_kind kind, int system)
{
    for (size_t i = 0; i < COUNT(tasks); i++)
        assert_true(count_faults(&tasks[i], kind, system) > 4);
}

static void each_call_fails_with_enospc(void **state)
{
    (void)state;
    fails(FAULTS_FAIL, ENOSPC);
}

static void each_call_fails_with_eio(void **state)
{
    (void)state;
    fails(FAULTS_FAIL, EIO);
}

static void each_call_is_interrupted(void **state)
{
    (void)state;
    fails(FAULTS_FAIL, EINTR);
}

static void each_call_is_refused(void **state)
{
    (void)state;
    fails(FAULTS_FAIL, EPERM);
}

static void each_answer_is_lost(void **state)
{
    (void)state;
    fails(FAULTS_FAIL_AFTER, EIO);
}

/* Short writes and reads do no harm at all. */
static void each_call_does_half(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tasks); i++) {
        int struck, number = 0;
        do {
            struct error error;
            begin(&tasks[i]);
            faults_at(++number, FAULTS_SHORT, 0);
            int status = tasks[i].run(tasks[i].keep, &error);
            struck = faults_struck();
            faults_off();
            if (status != 0)
                fail_msg("%s: %s", tasks[i].name, error.message);
            char now[4];
            read_state(now);
            assert_true(is_last_state(&tasks[i], now));
        } while (struck);
    }
}

static void each_allocation_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(tasks); i++) {
        int number = 0, struck;
        do {
            char where[50];
            snprintf(where, sizeof where, "no memory at allocation %d", ++number);
            begin(&tasks[i]);
            faults_memory_at(number);
            struck = run_armed(&tasks[i], ENOMEM, where);
        } while (struck);
        assert_true(number > 1);
    }
}

/* The tests above are worth nothing if calls go past the interposer. */
static void the_calls_are_seen(void **state)
{
    static const char *const names[] = {"open64", "write",  "fsync",  "close",   "rename",
                                        "link",   "unlink", "fchmod", "lstat64", "fstat64"};
    struct error error;
    (void)state;
    prepare_full(2);
    faults_at(0, FAULTS_NONE, 0);
    assert_int_equal(run_save(2, &error), 0);
    faults_off();
    for (size_t i = 0; i < COUNT(names); i++)
        if (faults_count(names[i]) == 0)
            fail_msg("%s is not wrapped", names[i]);
    assert_int_equal(faults_count("fsync"), 2); /* FILE.tmp and the folder */
}

/* ---- reading */

static void reading_fails_cleanly(void **state)
{
    static const int errors[] = {EIO, EINTR, EACCES};
    struct error error = {0};
    (void)state;
    assert_int_equal(scratch_save(FILE_NAME, 1, SIZE, 1, &error), 0);
    int descriptors = scratch_descriptors();
    for (size_t i = 0; i < COUNT(errors); i++) {
        for (int number = 1, struck = 1; struck; number++) {
            faults_at(number, FAULTS_FAIL, errors[i]);
            int value = scratch_load(FILE_NAME);
            struck = faults_struck();
            faults_off();
            assert_true(value == 1 || (struck && value == ERROR_SYSTEM));
        }
    }
    for (int number = 1, struck = 1; struck; number++) {
        faults_memory_at(number);
        int value = scratch_load(FILE_NAME);
        struck = faults_struck();
        faults_off();
        assert_int_equal(value, struck ? ERROR_MEMORY : 1);
    }
    for (int number = 1, struck = 1; struck; number++) {
        faults_at(number, FAULTS_SHORT, 0);
        assert_int_equal(scratch_load(FILE_NAME), 1);
        struck = faults_struck();
        faults_off();
    }
    assert_int_equal(scratch_descriptors(), descriptors);
}

/* ---- messages */

static void a_full_disk_is_told_in_numbers(void **state)
{
    struct error error = {0};
    char path[50], unit[3], free_unit[3];
    double needed, left;
    (void)state;
    save(1, 2);
    faults_refuse("write", ENOSPC);
    assert_int_equal(run_save(2, &error), ERROR_SYSTEM);
    faults_off();
    assert_int_equal(error.system, ENOSPC);
    assert_int_equal(sscanf(error.message,
                            "saving to %49s failed: no space left on device (needed %lf %2s, free "
                            "%lf %2[KMGTPEB])",
                            path, &needed, unit, &left, free_unit),
                     5);
    assert_string_equal(path, FILE_NAME);
    assert_string_equal(unit, "KB");
    assert_true(needed > 306 &&
                needed < 309); /* 307237 bytes with head, to be followed by the end */

    faults_refuse("fsync", EDQUOT);
    assert_int_equal(run_save(2, &error), ERROR_SYSTEM);
    faults_off();
    assert_int_equal(error.system, EDQUOT);
    assert_string_equal(error.message,
                        "saving to mean.ckpt failed: disk quota exceeded (needed 307 KB)");

    faults_refuse("close", EIO);
    assert_int_equal(run_save(2, &error), ERROR_SYSTEM);
    faults_off();
    assert_string_equal(error.message, "saving to mean.ckpt failed: input/output error");

    faults_refuse("open64", EACCES);
    assert_int_equal(run_save(2, &error), ERROR_SYSTEM);
    faults_off();
    assert_string_equal(error.message, "saving to mean.ckpt failed: cannot create mean.ckpt.tmp: "
                                       "permission denied");
    assert_int_equal(scratch_load(FILE_NAME), 1);
    assert_string_equal(scratch_list(), FILE_NAME);
}

/* A folder that cannot be synced is no failure; one whose sync fails is. */
static void folders_need_not_sync(void **state)
{
    struct error error;
    (void)state;
    for (int i = 0; i < 3; i++) {
        static const int errors[] = {EINVAL, ENOTSUP, EIO};
        faults_refuse("fsync", errors[i]);
        int status = generations_keep_as(FILE_NAME, "x", &error);
        faults_off();
        assert_int_equal(status, ERROR_SYSTEM); /* there is no FILE yet */
        save(1, 1);
        faults_refuse("fsync", errors[i]);
        assert_int_equal(generations_keep_as(FILE_NAME, "x", &error), i < 2 ? 0 : ERROR_SYSTEM);
        faults_off();
        scratch_empty();
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_calls_are_seen),       TEST(killed_before_each_call),
        TEST(killed_after_each_call),   TEST(each_call_fails_with_enospc),
        TEST(each_call_fails_with_eio), TEST(each_call_is_interrupted),
        TEST(each_call_is_refused),     TEST(each_answer_is_lost),
        TEST(each_call_does_half),      TEST(each_allocation_fails),
        TEST(reading_fails_cleanly),    TEST(a_full_disk_is_told_in_numbers),
        TEST(folders_need_not_sync),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
