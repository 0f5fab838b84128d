/*
 * job/stdio: what a job prints is in its file once, whenever it was killed.
 *
 * Each run is a process of its own with descriptors 1 and 2 as a shell would set them. What a
 * snapshot would hold is in the file "state".
 */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "job/stdio.h"
#include "scratch.h"

enum { KILLED = 256 };

static char home[4096], folder[4096];

static int remove_entry(const char *path, const struct stat *status, int type, struct FTW *where)
{
    (void)status, (void)type, (void)where;
    return remove(path);
}

static int setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/ckptlua-stdio-XXXXXX", parent == NULL ? "/tmp" : parent);
    return getcwd(home, sizeof home) == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0;
}

static int teardown(void **state)
{
    (void)state;
    return chdir(home) != 0 || nftw(folder, remove_entry, 16, FTW_DEPTH | FTW_PHYS) != 0;
}

static void put(const char *name, const char *text)
{
    FILE *file = fopen(name, "w");
    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static const char *get(const char *name)
{
    static char buffer[1 << 18];
    FILE *file = fopen(name, "r");
    if (file == NULL)
        return "(none)";
    size_t size = fread(buffer, 1, sizeof buffer - 1, file);
    buffer[size] = '\0';
    fclose(file);
    return buffer;
}

static void assert_file(const char *name, const char *text)
{
    assert_string_equal(get(name), text);
}

/* ------------------------------------------------------------------ a run */

/* How the shell opens a file for a run. */
enum {
    FRESH = O_WRONLY | O_CREAT | O_TRUNC,   /* > */
    APPEND = O_WRONLY | O_CREAT | O_APPEND, /* >> */
    IN_PLACE = O_RDWR | O_CREAT
}; /* <> */

struct run {
    const char *out; /* NULL: closed */
    int out_flags;
    const char *err; /* NULL: closed; "&1": as stdout */
    int err_flags;
    const char *output; /* --output */
    void (*body)(struct run *run);
    /* within the run */
    int continued; /* there is a state */
    struct stdio *stdio;
    struct stdio_state state[2];
    enum stdio_outcome outcome[2];
    struct error error;
    uint64_t seed;
};

/* In a run there is no cmocka: this ends it. */
#define check(condition)                        \
    do {                                        \
        if (!(condition))                       \
            failed_check(__LINE__, #condition); \
    } while (0)

static void failed_check(int line, const char *text)
{
    FILE *file = fopen("failure", "w");
    fprintf(file, "line %d: %s", line, text);
    fclose(file);
    _exit(99);
}

static void redirect(int descriptor, const char *name, int flags)
{
    close(descriptor);
    if (name == NULL)
        return;
    int opened = strcmp(name, "&1") == 0 ? dup(1) : open(name, flags, 0666);
    check(opened >= 0);
    if (opened != descriptor) {
        check(dup2(opened, descriptor) == descriptor);
        close(opened);
    }
}

/* Before any descriptor is closed, as it would take the place. */
static void read_state(struct run *run)
{
    int state = open("state", O_RDONLY);
    run->continued = state >= 0;
    if (state < 0)
        return;
    check(read(state, run->state, sizeof run->state) == (ssize_t)sizeof run->state);
    close(state);
}

static void start(struct run *run)
{
    run->stdio = stdio_open(run->output, run->continued, &run->error);
    check(run->stdio != NULL);
    int64_t cut[2] = {run->state[0].position, run->state[1].position};
    if (run->continued)
        check(stdio_restore(run->stdio, run->state, cut, run->outcome, &run->error) == 0);
}

static void save(struct run *run)
{
    check(stdio_save(run->stdio, run->state, &run->error) == 0);
    int state = open("state.tmp", O_WRONLY | O_CREAT | O_TRUNC, 0666);
    check(write(state, run->state, sizeof run->state) == (ssize_t)sizeof run->state);
    check(close(state) == 0 && rename("state.tmp", "state") == 0);
}

static void print(const char *text)
{
    check(fputs(text, stdout) >= 0);
}

static void die(void)
{
    fflush(stdout);
    kill(getpid(), SIGKILL);
}

static int run_it(struct run run)
{
    int status;
    fflush(NULL);
    pid_t process = fork();
    assert_true(process >= 0);
    if (process == 0) {
        read_state(&run);
        redirect(1, run.out, run.out_flags);
        redirect(2, run.err, run.err_flags);
        run.body(&run);
        stdio_close(run.stdio);
        exit(0); /* looks for leaks, if it can */
    }
    assert_int_equal(waitpid(process, &status, 0), process);
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return KILLED;
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0)
        fail_msg("exit code %d: %s", WEXITSTATUS(status), get("failure"));
    return 0;
}

#define expect(code, ...) assert_int_equal(run_it((struct run){__VA_ARGS__}), code)

/* ------------------------------------------------------------------ bodies */

static void save_between(struct run *run)
{
    start(run);
    print("one\n");
    fputs("err one\n", stderr);
    save(run);
    print("two\n");
    fputs("err two\n", stderr);
    die();
}

static void go_on(struct run *run)
{
    start(run);
    print("zwei\n");
    fputs("err zwei\n", stderr);
    check(stdio_finish(run->stdio, &run->error) == 0);
}

static void go_on_cut_back(struct run *run)
{
    go_on(run);
    check(run->outcome[0] == STDIO_CUT_BACK && run->outcome[1] == STDIO_CUT_BACK);
}

static void go_on_unchanged(struct run *run)
{
    go_on(run);
    check(run->outcome[0] == STDIO_AS_IT_WAS && run->outcome[1] == STDIO_AS_IT_WAS);
}

static void go_on_emptied(struct run *run)
{
    go_on(run);
    check(run->outcome[0] == STDIO_EMPTIED && run->outcome[1] == STDIO_EMPTIED);
}

static void go_on_other(struct run *run)
{
    go_on(run);
    check(run->outcome[0] == STDIO_OTHER_FILE && run->outcome[1] == STDIO_CUT_BACK);
}

static void go_on_shared(struct run *run)
{
    go_on(run);
    check(run->outcome[0] == STDIO_SHARED && run->outcome[1] == STDIO_SHARED);
}

static void not_regular(struct run *run)
{
    start(run);
    fputs("x", stdout);
    save(run);
    for (int i = 0; i < 2; i++)
        check(run->state[i].regular == 0 && run->state[i].position == 0);
    check(stdio_finish(run->stdio, &run->error) == 0);
}

/* ------------------------------------------------------------------ files */

static void cut_back(void **state)
{
    static const int first[] = {FRESH, APPEND, IN_PLACE}, second[] = {APPEND, IN_PLACE};
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            unlink("state"), unlink("out"), unlink("err");
            expect(KILLED, "out", first[i], "err", first[i], .body = save_between);
            assert_file("out", "one\ntwo\n");
            expect(0, "out", second[k], "err", second[k], .body = go_on_cut_back);
            assert_file("out", "one\nzwei\n");
            assert_file("err", "err one\nerr zwei\n");
        }
}

static void onto_an_old_log(void **state)
{
    (void)state;
    put("out", "old\n");
    expect(KILLED, "out", APPEND, "err", FRESH, .body = save_between);
    expect(0, "out", APPEND, "err", APPEND, .body = go_on_cut_back);
    assert_file("out", "old\none\nzwei\n");
}

static void save_at_once(struct run *run)
{
    start(run);
    save(run);
    print("one\n");
    die();
}

static void nothing_printed_yet(void **state)
{
    (void)state;
    put("out", "old\n");
    expect(KILLED, "out", APPEND, "err", APPEND, .body = save_at_once);
    expect(0, "out", APPEND, "err", APPEND, .body = go_on);
    assert_file("out", "old\nzwei\n");
}

static void nothing_to_cut(void **state)
{
    (void)state;
    expect(KILLED, "out", FRESH, "err", FRESH, .body = save_between);
    assert_int_equal(truncate("out", 4) | truncate("err", 8), 0);
    expect(0, "out", IN_PLACE, "err", APPEND, .body = go_on_unchanged);
    assert_file("out", "one\nzwei\n");
    assert_file("err", "err one\nerr zwei\n");
}

static void emptied(void **state)
{
    (void)state;
    expect(KILLED, "out", FRESH, "err", FRESH, .body = save_between);
    expect(0, "out", FRESH, "err", FRESH, .body = go_on_emptied);
    assert_file("out", "zwei\n");
}

static void another_file(void **state)
{
    (void)state;
    expect(KILLED, "out", FRESH, "err", FRESH, .body = save_between);
    put("out", "onE\nand more text\n");
    expect(0, "out", APPEND, "err", APPEND, .body = go_on_other);
    assert_file("out", "onE\nand more text\nzwei\n");
}

static void one_file_for_both(void **state)
{
    (void)state;
    expect(KILLED, "out", APPEND, "&1", 0, .body = save_between);
    struct stdio_state saved[2];
    int file = open("state", O_RDONLY);
    assert_int_equal(read(file, saved, sizeof saved), sizeof saved);
    close(file);
    assert_false(saved[0].regular || saved[1].regular);
    expect(0, "out", APPEND, "&1", 0, .body = go_on_shared);
    expect(0, "out", APPEND, "out", APPEND, .body = go_on_shared);
    unlink("state");
    expect(KILLED, "out", FRESH, "err", FRESH, .body = save_between);
    expect(0, "out", APPEND, "out", APPEND, .body = go_on_shared);
    assert_file("out", "one\ntwo\nerr zwei\nzwei\n");
    expect(0, "out", APPEND, "/dev/null", O_WRONLY, .body = go_on);
    assert_file("out", "one\nzwei\n");
}

/* A save does not fail for it, the good end does. */
static void full_device(struct run *run)
{
    start(run);
    print("x");
    save(run);
    check(!run->state[0].regular && !run->state[1].regular);
    check(stdio_finish(run->stdio, &run->error) == ERROR_SYSTEM);
    check(strstr(run->error.message, "writing stdout failed") != NULL);
}

static void other_kinds(void **state)
{
    (void)state;
    assert_int_equal(mkfifo("pipe", 0666), 0);
    expect(0, "/dev/null", O_WRONLY, "/dev/null", O_WRONLY, .body = not_regular);
    expect(0, "pipe", O_RDWR, "/dev/null", O_WRONLY, .body = not_regular);
    expect(0, NULL, 0, NULL, 0, .body = not_regular);
    if (access("/dev/full", W_OK) == 0)
        expect(0, "/dev/full", O_WRONLY, "/dev/full", O_WRONLY, .body = full_device);
    /* From such a state to a file and back. */
    put("out", "text");
    expect(0, "out", APPEND, "err", APPEND, .body = go_on_unchanged);
    assert_file("out", "textzwei\n");
    unlink("state");
    expect(KILLED, "out", FRESH, "err", FRESH, .body = save_between);
    expect(0, "/dev/null", O_WRONLY, "/dev/null", O_WRONLY, .body = go_on_unchanged);
}

/* What is opened to read stdout back does not become stderr. */
static void closed_stderr_body(struct run *run)
{
    start(run);
    print("x");
    save(run);
    check(fcntl(2, F_GETFD) < 0 && run->state[0].regular && !run->state[1].regular);
}

static void closed_stderr(void **state)
{
    (void)state;
    expect(0, "out", FRESH, NULL, 0, .body = closed_stderr_body);
}

static void broken_pipe_body(struct run *run)
{
    int ends[2];
    signal(SIGPIPE, SIG_IGN);
    check(pipe(ends) == 0 && dup2(ends[1], 1) == 1);
    close(ends[0]), close(ends[1]);
    not_regular(run);
}

static void broken_pipe(void **state)
{
    (void)state;
    expect(0, "/dev/null", O_WRONLY, "/dev/null", O_WRONLY, .body = broken_pipe_body);
}

static void full_disk_body(struct run *run)
{
    struct rlimit limit;
    start(run);
    signal(SIGXFSZ, SIG_IGN);
    setvbuf(stdout, NULL, _IOFBF, 4096);
    check(getrlimit(RLIMIT_FSIZE, &limit) == 0);
    limit.rlim_cur = 10;
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    print("0123456789ab");
    check(stdio_save(run->stdio, run->state, &run->error) == ERROR_SYSTEM);
    check(run->error.system == EFBIG);
    check(strcmp(run->error.message, "writing stdout failed: file too large") == 0);
    limit.rlim_cur = limit.rlim_max;
    check(setrlimit(RLIMIT_FSIZE, &limit) == 0);
    /* stdio has dropped two bytes by now: no snapshot may have this position. */
    print("cd");
    check(stdio_save(run->stdio, run->state, &run->error) == ERROR_SYSTEM);
    check(strstr(run->error.message, "stdout lacks bytes") != NULL);
    check(stdio_finish(run->stdio, &run->error) == ERROR_SYSTEM);
}

static void full_disk(void **state)
{
    (void)state;
    expect(0, "out", FRESH, "/dev/null", O_WRONLY, .body = full_disk_body);
    assert_file("out", "0123456789cd");
}

static void unreadable_body(struct run *run)
{
    uid_t user = geteuid();
    check(chmod("out", 0200) == 0);
    if (user == 0)
        check(seteuid(65534) == 0); /* root may read it */
    start(run);
    check(seteuid(user) == 0);
    print("x");
    save(run);
    check(!run->state[0].regular);
}

static void unreadable(void **state)
{
    (void)state;
    expect(0, "out", FRESH, "/dev/null", O_WRONLY, .body = unreadable_body);
    assert_int_equal(chmod("out", 0600), 0);
    assert_file("out", "x");
}

static void removed_body(struct run *run)
{
    start(run);
    check(unlink("out") == 0);
    print("abc");
    save(run);
    check(run->state[0].regular && run->state[0].position == 3);
}

static void removed(void **state)
{
    (void)state;
    expect(0, "out", FRESH, "/dev/null", O_WRONLY, .body = removed_body);
}

/* ------------------------------------------------------------------ checksums */

static void digest_of(const char *text, size_t size, unsigned char out[CHECKSUM_SIZE])
{
    struct checksum *checksum = checksum_new();
    check(checksum != NULL);
    checksum_add(checksum, text, size);
    checksum_digest(checksum, out);
    checksum_free(checksum);
}

static void check_digest(struct run *run, const char *text, size_t size)
{
    unsigned char digest[CHECKSUM_SIZE];
    save(run);
    digest_of(text, size, digest);
    check(run->state[0].regular && run->state[0].position == (int64_t)size);
    check(memcmp(run->state[0].digest, digest, sizeof digest) == 0);
}

static void digests_body(struct run *run)
{
    static char text[200000];
    start(run);
    check_digest(run, "", 0);
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i * 7 % 26);
    size_t sizes[] = {1, 2, 65535, 65536, 65537, 131072, 199999}, used = 0;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
        check(fwrite(text + used, 1, sizes[i] - used, stdout) == sizes[i] - used);
        used = sizes[i];
        check_digest(run, text, used);
    }
    /* What was summed is not read again. */
    int other = open("out", O_WRONLY);
    check(pwrite(other, "!", 1, 0) == 1);
    print("x");
    text[used] = 'x';
    check_digest(run, text, used + 1);
    /* But it is when the file got shorter. */
    check(ftruncate(other, 5) == 0 && lseek(1, 5, SEEK_SET) == 5);
    text[0] = '!';
    check_digest(run, text, 5);
    /* Shorter than the position: its bytes cannot be told. */
    check(ftruncate(other, 2) == 0 && lseek(1, 9, SEEK_SET) == 9);
    save(run);
    check(!run->state[0].regular);
    close(other);
}

static void digests(void **state)
{
    (void)state;
    expect(0, "out", FRESH, "/dev/null", O_WRONLY, .body = digests_body);
}

/* ------------------------------------------------------------------ --output */

static void with_output(void **state)
{
    (void)state;
    put("result", "from another job, and longer");
    expect(KILLED, "out", FRESH, "err", FRESH, "result", .body = save_between);
    assert_file("result", "one\ntwo\n");
    assert_file("out", "");
    assert_file("err", "err one\nerr two\n");
    expect(0, "out", APPEND, "err", APPEND, "result", .body = go_on_cut_back);
    assert_file("result", "one\nzwei\n");
    /* stdout closed: FILE may be opened as descriptor 1 at once */
    unlink("state");
    expect(KILLED, NULL, 0, "err", FRESH, "result", .body = save_between);
    expect(0, NULL, 0, "err", APPEND, "result", .body = go_on_cut_back);
    assert_file("result", "one\nzwei\n");
}

static void refused_output_body(struct run *run)
{
    struct stdio_state state[2] = {{.regular = 1, .position = 4096}, {.regular = 0}};
    int64_t cut[2] = {4096, 0};
    check(stdio_open("none/result", 0, &run->error) == NULL);
    check(strcmp(run->error.message, "cannot open none/result for the job's output: "
                                     "no such file or directory") == 0);
    run->stdio = stdio_open("result", 1, &run->error);
    check(run->stdio != NULL);
    check(stdio_restore(run->stdio, state, cut, run->outcome, &run->error) == ERROR_INVALID);
    check(strcmp(run->error.message, "result is 120 bytes long, 4096 were written when the "
                                     "snapshot was saved") == 0);
}

static void refused_output(void **state)
{
    char text[121];
    (void)state;
    memset(text, 'x', 120);
    text[120] = '\0';
    put("result", text);
    expect(0, "out", FRESH, "err", FRESH, .body = refused_output_body);
    assert_file("result", text);
}

/* A state without stdout, then --output: what is in the file stays. */
static void output_added(void **state)
{
    (void)state;
    put("result", "old\n");
    expect(0, "/dev/null", O_WRONLY, "/dev/null", O_WRONLY, .body = not_regular);
    expect(0, "out", APPEND, "err", APPEND, "result", .body = go_on_unchanged);
    assert_file("result", "old\nzwei\n");
    expect(0, "out", APPEND, "err", APPEND, "/dev/null", .body = go_on_unchanged);
}

static void leaks_body(struct run *run)
{
    int before = dup(0), after;
    close(before);
    for (int i = 0; i < 3; i++) {
        run->stdio = stdio_open(i == 1 ? "result" : NULL, 0, &run->error);
        check(run->stdio != NULL);
        stdio_close(run->stdio);
        run->stdio = NULL;
    }
    stdio_close(NULL);
    after = dup(0);
    check(before == after);
    close(after);
}

static void leaks(void **state)
{
    (void)state;
    expect(0, "out", FRESH, "err", FRESH, .body = leaks_body);
}

/* ------------------------------------------------------------------ at random */

/* Counts to 200 on both streams; the position in the count is in the file "count" as of the save.
 */
static void counting(struct run *run)
{
    uint64_t random = run->seed;
    int i = 0;
    start(run);
    FILE *count = fopen("count", "r");
    if (count == NULL)
        save(run);
    else {
        check(fscanf(count, "%d", &i) == 1);
        fclose(count);
    }
    for (; i < 200; i++) {
        random = random * 6364136223846793005U + 1442695040888963407U;
        if (random >> 33 & 1)
            printf("line %d\n", i);
        else
            fprintf(stderr, "err %d\n", i);
        if ((random >> 40) % 41 == 0)
            die();
        if ((random >> 45) % 13 == 0) {
            save(run);
            count = fopen("count", "w");
            fprintf(count, "%d\n", i + 1);
            fclose(count);
        }
    }
}

/* Each number is there once, in order, on one of the two. */
static void check_count(unsigned long seed)
{
    FILE *out = fopen("out", "r"), *err = fopen("err", "r");
    int a = -1, b = -1;
    for (int i = 0; i < 200; i++) {
        if (a < i && fscanf(out, "line %d\n", &a) != 1)
            a = 1000;
        if (b < i && fscanf(err, "err %d\n", &b) != 1)
            b = 1000;
        if ((a == i) == (b == i))
            fail_msg("seed %lu: number %d, stdout is at %d, stderr at %d", seed, i, a, b);
    }
    assert_true(fgetc(out) == EOF && fgetc(err) == EOF);
    fclose(out), fclose(err);
}

static int kill_with_seed(unsigned long seed)
{
    int kills = 0, code = KILLED;
    unlink("out"), unlink("err"), unlink("state"), unlink("count");
    for (unsigned long run = 0; code == KILLED && run < 1000; run++) {
        code = run_it((struct run){"out", APPEND, "err", APPEND, .body = counting,
                                   .seed = seed * 1000003 + run * 7919});
        kills += code == KILLED;
    }
    assert_int_equal(code, 0);
    check_count(seed);
    return kills;
}

static void killed_at_random(void **state)
{
    unsigned long seed = scratch_seed();
    int kills = 0;
    (void)state;
    for (unsigned long i = 0; i < 20; i++)
        kills += kill_with_seed(seed + i);
    print_message("killed %d times\n", kills);
    assert_true(kills > 20);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, setup, teardown)

int main(void)
{
    static const struct CMUnitTest tests[] = {
        TEST(cut_back),      TEST(onto_an_old_log), TEST(nothing_printed_yet), TEST(nothing_to_cut),
        TEST(emptied),       TEST(another_file),    TEST(one_file_for_both),   TEST(other_kinds),
        TEST(closed_stderr), TEST(broken_pipe),     TEST(full_disk),           TEST(unreadable),
        TEST(removed),       TEST(digests),         TEST(with_output),         TEST(refused_output),
        TEST(output_added),  TEST(leaks),           TEST(killed_at_random),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
