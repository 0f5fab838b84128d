/* store: the lock, its note, and what processes that end leave of both. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "faults.h"
#include "scratch.h"
#include "store/lock.h"

#define FILE_NAME "mean.ckpt"
#define LOCK_NAME FILE_NAME ".lock"
#define COUNT(array) (sizeof(array) / sizeof(array)[0])

enum { PATIENCE = 60 }; /* seconds; only a failing test waits that long */

static struct lock *acquire(double seconds)
{
    struct error error = {0};
    struct lock *lock = lock_acquire(FILE_NAME, seconds, &error);
    if (lock == NULL)
        fail_msg("%s", error.message);
    return lock;
}

static void check_busy(pid_t holder)
{
    struct error error = {0};
    char host[65] = "", expected[200];
    assert_int_equal(gethostname(host, sizeof host - 1), 0);
    assert_null(lock_acquire(FILE_NAME, 0, &error));
    assert_int_equal(error.code, ERROR_BUSY);
    snprintf(expected, sizeof expected, "process %ld on %s holds mean.ckpt.lock", (long)holder,
             host);
    assert_string_equal(error.message, expected);
}

/* ---- other processes */

struct other {
    pid_t process;
    int told;  /* reads what it says */
    int input; /* writing a byte lets it go on */
};

/* Runs f, which gets two descriptors: to say a byte, and to wait for one. */
static struct other start(void (*f)(int say, int wait))
{
    int told[2], input[2];
    assert_int_equal(pipe2(told, O_CLOEXEC), 0);
    assert_int_equal(pipe2(input, O_CLOEXEC), 0);
    struct other other = {fork(), told[0], input[1]};
    assert_true(other.process >= 0);
    if (other.process == 0) {
        close(told[0]);
        close(input[1]);
        f(told[1], input[0]);
        _exit(0);
    }
    close(told[1]);
    close(input[0]);
    return other;
}

static void say(int fd)
{
    if (write(fd, "x", 1) != 1)
        _exit(9);
}

static int hear(int fd)
{
    char byte;
    return read(fd, &byte, 1) == 1;
}

static void hold(int told, int wait)
{
    struct error error;
    struct lock *lock = lock_acquire(FILE_NAME, 0, &error);
    if (lock == NULL || lock_set_note(lock, "from the dead", &error) != 0)
        _exit(1);
    say(told);
    hear(wait);
    lock_release(lock, 0);
}

static int finish(struct other *other)
{
    int status;
    /* Not by the close alone: processes started later have inherited the other end. */
    (void)!write(other->input, "x", 1);
    close(other->told);
    close(other->input);
    assert_int_equal(waitpid(other->process, &status, 0), other->process);
    return status;
}

static void kill_it(struct other *other)
{
    assert_int_equal(kill(other->process, SIGKILL), 0);
    assert_true(WIFSIGNALED(finish(other)));
}

static void one_process_holds_it(void **state)
{
    (void)state;
    struct other other = start(hold);
    assert_true(hear(other.told));
    check_busy(other.process);
    double before = clock_monotonic();
    struct error error;
    assert_null(lock_acquire(FILE_NAME, 0.2, &error));
    assert_true(clock_monotonic() - before >= 0.2);
    assert_int_equal(finish(&other), 0);
    struct lock *lock = acquire(0);
    assert_true(lock_is_real(lock));
    check_busy(getpid());
    lock_release(lock, 1);
    lock_release(NULL, 1);
    assert_string_equal(scratch_list(), "");
}

static void waiting_gets_it(void **state)
{
    (void)state;
    struct other other = start(hold);
    assert_true(hear(other.told));
    pid_t releaser = fork();
    if (releaser == 0) {
        usleep(100000);
        kill(other.process, SIGKILL);
        _exit(0);
    }
    struct lock *lock = acquire(PATIENCE);
    assert_string_equal(lock_note(lock), "from the dead");
    lock_release(lock, 1);
    waitpid(releaser, NULL, 0);
    assert_true(WIFSIGNALED(finish(&other)));
}

static void the_snapshot_may_be_replaced(void **state)
{
    struct error error;
    (void)state;
    struct other other = start(hold);
    assert_true(hear(other.told));
    assert_int_equal(scratch_save(FILE_NAME, 1, 10, 2, &error), 0);
    assert_int_equal(scratch_save(FILE_NAME, 2, 10, 2, &error), 0);
    check_busy(other.process);
    kill_it(&other);
    lock_release(acquire(PATIENCE), 1);
    assert_string_equal(scratch_list(), "mean.ckpt mean.ckpt.1");
}

/* The parent is killed while its saving child lives on. */
static void hold_with_child(int told, int wait)
{
    struct error error;
    struct lock *lock = lock_acquire(FILE_NAME, 0, &error);
    if (lock == NULL)
        _exit(1);
    if (fork() == 0) {
        lock_leave_to_parent(lock);
        say(told);
        hear(wait);
        lock_release(lock, 1); /* does nothing: it is not the child's */
        say(told);
        _exit(0);
    }
    for (;;)
        pause();
}

static void a_child_does_not_keep_it(void **state)
{
    (void)state;
    struct other other = start(hold_with_child);
    assert_true(hear(other.told));
    check_busy(other.process);
    assert_int_equal(kill(other.process, SIGKILL), 0);
    assert_int_equal(waitpid(other.process, NULL, 0), other.process);
    struct lock *lock = acquire(PATIENCE);
    assert_int_equal(write(other.input, "x", 1), 1);
    assert_true(hear(other.told)); /* the child lived till now */
    assert_false(hear(other.told));
    check_busy(getpid());
    close(other.told);
    close(other.input);
    lock_release(lock, 0);
    assert_string_equal(scratch_list(), LOCK_NAME);
}

/* Many processes at once, each of which removes the file when it is done: never two holders. */
static void contend(int told, int wait)
{
    struct error error;
    (void)told;
    hear(wait);
    for (int i = 0; i < 20; i++) {
        struct lock *lock = lock_acquire(FILE_NAME, PATIENCE, &error);
        int fd = lock == NULL ? -1 : open("inside", O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666);
        if (fd < 0)
            _exit(1);
        close(fd);
        sched_yield();
        if (unlink("inside") != 0)
            _exit(2);
        lock_release(lock, i % 3 != 0);
    }
}

static void removing_it_lets_no_two_in(void **state)
{
    struct other others[4];
    (void)state;
    for (size_t i = 0; i < COUNT(others); i++)
        others[i] = start(contend);
    for (size_t i = 0; i < COUNT(others); i++)
        assert_int_equal(finish(&others[i]), 0);
}

static void remove_lock(void)
{
    assert_int_equal(unlink(LOCK_NAME), 0);
}

/* The last holder removes the file when we have opened it but not locked it. */
static void a_removed_file_is_not_held(void **state)
{
    (void)state;
    faults_before("fcntl64", remove_lock);
    struct lock *lock = acquire(0);
    assert_int_equal(faults_count("fcntl64"), 2);
    faults_off();
    assert_string_equal(scratch_list(), LOCK_NAME);
    check_busy(getpid());
    lock_release(lock, 1);
    assert_string_equal(scratch_list(), "");
}

/* ---- the note */

static void notes_are_kept(void **state)
{
    struct error error;
    (void)state;
    struct lock *lock = acquire(0);
    assert_string_equal(lock_note(lock), "");
    assert_int_equal(lock_set_note(lock, "first\nsecond line\n", &error), 0);
    assert_string_equal(lock_note(lock), "first\nsecond line\n");
    lock_release(lock, 0);
    /* Holders that set none and are gone do not lose it. */
    for (int i = 0; i < 3; i++) {
        lock = acquire(0);
        assert_string_equal(lock_note(lock), "first\nsecond line\n");
        lock_release(lock, 0);
    }
    lock = acquire(0);
    assert_int_equal(lock_set_note(lock, lock_note(lock), &error), 0);
    assert_string_equal(lock_note(lock), "first\nsecond line\n");
    assert_int_equal(lock_set_note(lock, "", &error), 0);
    lock_release(lock, 0);
    lock = acquire(0);
    assert_string_equal(lock_note(lock), "");
    lock_release(lock, 1);
}

static void notes_survive_a_kill(void **state)
{
    (void)state;
    struct other other = start(hold);
    assert_true(hear(other.told));
    kill_it(&other);
    struct lock *lock = acquire(PATIENCE);
    assert_string_equal(lock_note(lock), "from the dead");
    lock_release(lock, 0);
}

static char *letters(size_t size, char letter)
{
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, letter, size);
    text[size] = '\0';
    return text;
}

/* Texts of all sizes, one after the other: no two of them get in each other's way, and the file
 * does not grow without end. */
static void notes_of_any_length_follow_each_other(void **state)
{
    struct error error;
    struct stat info;
    (void)state;
    srand((unsigned)scratch_seed());
    struct lock *lock = acquire(0);
    for (int i = 0; i < 200; i++) {
        char *text = letters((size_t)rand() % (i % 10 == 0 ? 100000 : 1000), (char)('a' + i % 26));
        assert_int_equal(lock_set_note(lock, text, &error), 0);
        lock_release(lock, 0);
        lock = acquire(0);
        assert_string_equal(lock_note(lock), text);
        free(text);
        assert_int_equal(stat(LOCK_NAME, &info), 0);
        assert_true(info.st_size < 3 * 100000);
    }
    lock_release(lock, 1);
}

/* Each byte of the file flipped, each length it may be cut to: the note, the one before, or none.
 */
static void check_note_of(const unsigned char *data, size_t size)
{
    scratch_write(LOCK_NAME, data, size);
    struct lock *lock = acquire(0);
    const char *note = lock_note(lock);
    if (strcmp(note, "the second") != 0 && strcmp(note, "one") != 0 && strcmp(note, "") != 0)
        fail_msg("the note is '%s'", note);
    lock_release(lock, 0);
}

static void a_damaged_note_is_none(void **state)
{
    struct error error;
    size_t size;
    (void)state;
    struct lock *lock = acquire(0);
    assert_int_equal(lock_set_note(lock, "one", &error), 0);
    assert_int_equal(lock_set_note(lock, "the second", &error), 0);
    lock_release(lock, 0);
    unsigned char *data = scratch_read(LOCK_NAME, &size);
    for (size_t cut = 0; cut < size; cut++)
        check_note_of(data, cut);
    for (size_t at = 0; at < size; at++) {
        for (int bit = 0; bit < 8; bit++) {
            data[at] ^= (unsigned char)(1 << bit);
            check_note_of(data, size);
            data[at] ^= (unsigned char)(1 << bit);
        }
    }
    free(data);
}

/* As a power loss leaves it that kept the new line but not the new text. */
static void a_note_without_its_text_is_the_one_before(void **state)
{
    struct error error;
    size_t size, at = 0;
    (void)state;
    struct lock *lock = acquire(0);
    assert_int_equal(lock_set_note(lock, "one", &error), 0);
    lock_release(lock, 0);
    lock = acquire(0);
    assert_int_equal(lock_set_note(lock, "the second", &error), 0);
    lock_release(lock, 0);
    unsigned char *data = scratch_read(LOCK_NAME, &size);
    while (at + 10 < size && memcmp(data + at, "the second", 10) != 0)
        at++;
    memset(data + at, 0, 10);
    scratch_write(LOCK_NAME, data, size);
    free(data);
    lock = acquire(0);
    assert_string_equal(lock_note(lock), "one");
    lock_release(lock, 0);
}

static void foreign_contents_do_no_harm(void **state)
{
    static const char *const contents[] = {
        "",
        "x",
        "4711 node7\n",
        "note 1 384 5 hello",
        "\377\377\377\377",
        "note 18446744073709551615 18446744073709551615 18446744073709551615 0"};
    char file[128 * 4];
    (void)state;
    for (size_t i = 0; i < COUNT(contents); i++) {
        memset(file, ' ', sizeof file);
        for (size_t line = 0; line < 4; line++)
            memcpy(file + 128 * line, contents[i], strlen(contents[i]));
        scratch_write(LOCK_NAME, file, sizeof file);
        struct lock *lock = acquire(0);
        assert_string_equal(lock_note(lock), "");
        check_busy(getpid());
        lock_release(lock, 0);
    }
}

/* ---- the mark */

static void marks_outlive_a_holder(void **state)
{
    struct error error;
    (void)state;
    struct lock *lock = acquire(0);
    assert_string_equal(lock_mark(lock), "");
    lock_set_mark(lock, "alive at 1, and a long time after");
    assert_int_equal(lock_set_note(lock, "a note", &error), 0);
    lock_set_mark(lock, "alive at 2");
    assert_string_equal(lock_mark(lock), ""); /* still that of the last holder */
    lock_release(lock, 0);
    /* A holder that sets none leaves it, and notes do not touch it. */
    for (int i = 0; i < 2; i++) {
        lock = acquire(0);
        assert_string_equal(lock_mark(lock), "alive at 2");
        assert_string_equal(lock_note(lock), i == 0 ? "a note" : "another");
        assert_int_equal(lock_set_note(lock, "another", &error), 0);
        lock_release(lock, 0);
    }
    lock = acquire(0);
    lock_set_mark(lock, "");
    lock_release(lock, 0);
    lock = acquire(0);
    assert_string_equal(lock_mark(lock), "");
    assert_string_equal(lock_note(lock), "another");
    lock_release(lock, 1);
}

static void a_mark_has_its_length(void **state)
{
    char *text = letters(LOCK_MARK_MAX + 1, 'm');
    (void)state;
    struct lock *lock = acquire(0);
    lock_set_mark(lock, text);
    lock_release(lock, 0);
    lock = acquire(0);
    text[LOCK_MARK_MAX] = '\0';
    assert_string_equal(lock_mark(lock), text);
    lock_release(lock, 1);
    free(text);
}

/* Bytes flipped, and cut off, as a power loss may leave them. */
static void a_damaged_mark_is_none(void **state)
{
    size_t size;
    (void)state;
    struct lock *lock = acquire(0);
    lock_set_mark(lock, "alive");
    lock_release(lock, 0);
    unsigned char *data = scratch_read(LOCK_NAME, &size);
    for (size_t at = 0; at < 2 * size; at++) {
        if (at < size)
            data[at] ^= 4;
        scratch_write(LOCK_NAME, data, at < size ? size : at - size);
        lock = acquire(0);
        const char *mark = lock_mark(lock);
        if (strcmp(mark, "") != 0 && strcmp(mark, "alive") != 0)
            fail_msg("the mark is '%s'", mark);
        lock_release(lock, 0);
        if (at < size)
            data[at] ^= 4;
    }
    free(data);
}

/* ---- things that go wrong */

/* More than a page each. */
static char old_note[7001], new_note[9001];

static void fill_notes(void)
{
    memset(old_note, 'o', sizeof old_note - 1);
    memset(new_note, 'n', sizeof new_note - 1);
}

static void check_note_is(const char *one, const char *other)
{
    struct lock *lock = acquire(PATIENCE);
    const char *note = lock_note(lock);
    if (strcmp(note, one) != 0 && strcmp(note, other) != 0)
        fail_msg("a note of %zu bytes begins '%.20s'", strlen(note), note);
    lock_release(lock, 0);
}

static void run_note(const char *text)
{
    struct error error;
    struct lock *lock = lock_acquire(FILE_NAME, PATIENCE, &error);
    int status = lock == NULL ? error.code : lock_set_note(lock, text, &error);
    lock_release(lock, 0);
    _exit(status != 0);
}

/* Whatever interrupts taking the lock and setting a note leaves the old or the new one. */
static void notes_survive_a_kill_at_each_call(void **state)
{
    static const enum faults_kind kinds[] = {FAULTS_KILL_BEFORE, FAULTS_KILL_AFTER};
    struct error error;
    (void)state;
    fill_notes();
    for (size_t i = 0; i < COUNT(kinds); i++) {
        int number = 0, status;
        do {
            struct lock *lock = acquire(PATIENCE);
            assert_int_equal(lock_set_note(lock, old_note, &error), 0);
            lock_release(lock, 0);
            number++;
            pid_t child = fork();
            if (child == 0) {
                faults_at(number, kinds[i], 0);
                run_note(new_note);
            }
            assert_int_equal(waitpid(child, &status, 0), child);
            assert_true(status == 0 || WIFSIGNALED(status));
            check_note_is(status == 0 ? new_note : old_note, new_note);
        } while (status != 0);
        assert_true(number > 6);
    }
}

/* One that is not synced yet is there for whoever comes next, and is synced before it is replaced.
 */
static void notes_are_put(void **state)
{
    struct error error;
    (void)state;
    struct lock *lock = acquire(0);
    assert_int_equal(lock_set_note(lock, "safe", &error), 0);
    faults_at(1, FAULTS_FAIL, EIO);
    assert_int_equal(lock_sync_note(lock, &error), 0); /* there is nothing to do */
    faults_off();
    assert_int_equal(lock_put_note(lock, "put", &error), 0);
    assert_string_equal(lock_note(lock), "put");
    faults_at(1, FAULTS_FAIL, EIO);
    assert_int_equal(lock_put_note(lock, "another", &error), ERROR_SYSTEM);
    assert_true(faults_struck());
    faults_off();
    assert_int_equal(lock_sync_note(lock, &error), 0);
    lock_release(lock, 0);
    check_note_is("put", "put");
}

static void note_with_fault(int put, int number, enum faults_kind kind, int system)
{
    const char *old = old_note, *new = new_note;
    struct error error = {0};
    struct lock *lock = acquire(0);
    assert_int_equal((put ? lock_put_note : lock_set_note)(lock, old, &error), 0);
    if (kind == FAULTS_NONE)
        faults_memory_at(number);
    else
        faults_at(number, kind, system);
    int status = lock_set_note(lock, new, &error);
    faults_off();
    if (status == 0)
        assert_string_equal(lock_note(lock), new);
    else
        assert_string_equal(lock_note(lock), old);
    if (status == ERROR_SYSTEM)
        assert_int_equal(error.system, system);
    lock_release(lock, 0);
    check_note_is(status == 0 ? new : old, new);
}

static void notes_survive_a_failure_at_each_call(void **state)
{
    static const struct {
        enum faults_kind kind;
        int system;
    } faults[] = {{FAULTS_FAIL, ENOSPC}, {FAULTS_FAIL, EINTR}, {FAULTS_SHORT, 0}, {FAULTS_NONE, 0}};
    (void)state;
    fill_notes();
    for (size_t i = 0; i < 2 * COUNT(faults); i++) {
        int number = 0, put = i % 2 != 0;
        do
            note_with_fault(put, ++number, faults[i / 2].kind, faults[i / 2].system);
        while (faults_struck());
        assert_true(number > 1);
    }
}

static void acquiring_fails_cleanly(void **state)
{
    struct error error;
    (void)state;
    struct lock *lock = acquire(0);
    assert_int_equal(lock_set_note(lock, "kept", &error), 0);
    lock_release(lock, 0);
    int descriptors = scratch_descriptors();
    for (int memory = 0; memory < 2; memory++) {
        for (int number = 1, struck = 1; struck; number++) {
            if (memory)
                faults_memory_at(number);
            else
                faults_at(number, FAULTS_FAIL, EIO);
            lock = lock_acquire(FILE_NAME, 0, &error);
            struck = faults_struck();
            faults_off();
            assert_true(lock != NULL || struck);
            if (lock == NULL)
                assert_int_equal(error.code, memory ? ERROR_MEMORY : ERROR_SYSTEM);
            lock_release(lock, 0);
            assert_int_equal(scratch_descriptors(), descriptors);
        }
    }
    check_note_is("kept", "kept");
}

static void without_locks_it_goes_on(void **state)
{
    static const int errors[] = {ENOLCK, EINVAL, ENOTSUP, ENOSYS};
    struct error error;
    (void)state;
    for (size_t i = 0; i < COUNT(errors); i++) {
        faults_refuse("fcntl64", errors[i]);
        struct lock *lock = acquire(0);
        assert_true(faults_count("fcntl64") == 1);
        faults_off();
        assert_false(lock_is_real(lock));
        assert_int_equal(lock_set_note(lock, "a note", &error), 0);
        lock_release(lock, 0);
        check_note_is("a note", "a note");
    }
    faults_refuse("fcntl64", EIO);
    assert_null(lock_acquire(FILE_NAME, 0, &error));
    faults_off();
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_int_equal(error.system, EIO);
}

static void only_a_file_is_locked(void **state)
{
    struct error error;
    size_t size;
    (void)state;
    scratch_write("victim", "precious", 8);
    assert_int_equal(symlink("victim", LOCK_NAME), 0);
    assert_null(lock_acquire(FILE_NAME, 0, &error));
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_int_equal(error.system, ELOOP);
    unsigned char *data = scratch_read("victim", &size);
    assert_int_equal(size, 8);
    free(data);
    assert_int_equal(unlink(LOCK_NAME), 0);

    assert_int_equal(mkdir(LOCK_NAME, 0777), 0);
    assert_null(lock_acquire(FILE_NAME, 0, &error));
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_int_equal(rmdir(LOCK_NAME), 0);

    assert_int_equal(mkfifo(LOCK_NAME, 0666), 0);
    assert_null(lock_acquire(FILE_NAME, 0, &error));
    assert_string_equal(error.message,
                        "cannot lock mean.ckpt.lock: it is not a regular file; remove it");

    assert_null(lock_acquire("no/such/file", 0, &error));
    assert_int_equal(error.system, ENOENT);
    assert_string_equal(error.message,
                        "cannot make the lock file no/such/file.lock: no such file or directory");
}

/* A lock file that was removed by hand, and made anew by another process, is not removed by us. */
static void the_file_of_another_stays(void **state)
{
    (void)state;
    struct lock *lock = acquire(0);
    assert_int_equal(unlink(LOCK_NAME), 0);
    struct lock *other = acquire(0);
    lock_release(lock, 1);
    check_busy(getpid());
    lock_release(other, 1);
    assert_string_equal(scratch_list(), "");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(one_process_holds_it),
        TEST(waiting_gets_it),
        TEST(the_snapshot_may_be_replaced),
        TEST(a_child_does_not_keep_it),
        TEST(removing_it_lets_no_two_in),
        TEST(a_removed_file_is_not_held),
        TEST(notes_are_kept),
        TEST(notes_are_put),
        TEST(notes_survive_a_kill),
        TEST(notes_of_any_length_follow_each_other),
        TEST(a_damaged_note_is_none),
        TEST(a_note_without_its_text_is_the_one_before),
        TEST(foreign_contents_do_no_harm),
        TEST(marks_outlive_a_holder),
        TEST(a_mark_has_its_length),
        TEST(a_damaged_mark_is_none),
        TEST(notes_survive_a_kill_at_each_call),
        TEST(notes_survive_a_failure_at_each_call),
        TEST(acquiring_fails_cleanly),
        TEST(without_locks_it_goes_on),
        TEST(only_a_file_is_locked),
        TEST(the_file_of_another_stays),
    };
    signal(SIGPIPE, SIG_IGN); /* some of the others are dead when they are told to go on */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
