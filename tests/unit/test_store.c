/* store: snapshot files, their damage, generations, links. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "scratch.h"
#include "store/format.h"
#include "store/generations.h"
#include "store/snapshot.h"

#define FILE_NAME "mean.ckpt"

static void save(int value, int keep)
{
    struct error error = {0};
    if (scratch_save(FILE_NAME, value, 50, keep, &error) != 0)
        fail_msg("%s", error.message);
}

/* The value of FILE, FILE.1, ..., 0 where there is none: "421" and so on. */
static const char *values(int number)
{
    static char out[16];
    for (int i = 0; i < number; i++) {
        char *name = generations_numbered(FILE_NAME, i);
        int value = scratch_load(name);
        out[i] = value >= 0 ? (char)('0' + value) : value == ERROR_ABSENT ? '-' : '!';
        free(name);
    }
    out[number] = '\0';
    return out;
}

static void copy(const char *from, const char *to)
{
    size_t size;
    unsigned char *data = scratch_read(from, &size);
    scratch_write(to, data, size);
    free(data);
}

static void damage(const char *name)
{
    size_t size;
    unsigned char *data = scratch_read(name, &size);
    data[size / 2] ^= 1;
    scratch_write(name, data, size);
    free(data);
}

static void refused(const char *file, int code, const char *message)
{
    struct error error = {0};
    assert_null(snapshot_open(file, &error));
    assert_string_equal(error.message, message);
    assert_int_equal(error.code, code);
}

/* ---- bytes */

static void bytes_are_those_of_the_format(void **state)
{
    static const unsigned char head[] = {0xDE, 0x00, 0x01, 0xA7, 'c', 'k', 'p',  't',
                                         'l',  'u',  'a',  0xCE, 0,   0,   0x00, 0x01};
    static const unsigned char end[] = {0x93, 0xA8, 'c', 'k', 'p', 't', '-',  'e', 'n',  'd', 0xCF,
                                        0,    0,    0,   0,   0,   0,   0x00, 18,  0xC4, 16};
    /* XXH3-128 of head and two bytes 7, in one go. */
    static const unsigned char digest[] = {0x0F, 0xEC, 0x65, 0x2C, 0x29, 0x3A, 0x74, 0x58,
                                           0x7D, 0x01, 0xF8, 0x46, 0xAF, 0xE5, 0x08, 0xEF};
    struct error error;
    size_t size;
    (void)state;
    assert_int_equal(scratch_save(FILE_NAME, 7, 2, 1, &error), 0);
    unsigned char *data = scratch_read(FILE_NAME, &size);
    assert_int_equal(size, 18 + 37);
    assert_memory_equal(data, head, sizeof head);
    assert_memory_equal(data + 16, "\7\7", 2);
    assert_memory_equal(data + 18, end, sizeof end);
    assert_memory_equal(data + 18 + sizeof end, digest, sizeof digest);
    free(data);
}

static void check_round_trip(size_t size, size_t write_step, size_t read_step)
{
    unsigned char *body = malloc(size), *back = malloc(size + 10);
    struct error error = {0};
    assert_true(body != NULL && back != NULL && size >= FORMAT_HEAD_SIZE);
    for (size_t i = 0; i < size; i++)
        body[i] = (unsigned char)(i * 2654435761u >> 13);
    format_put_head(body, 3);
    struct snapshot_writer *writer = snapshot_begin(FILE_NAME, &error);
    assert_non_null(writer);
    for (size_t at = 0; at < size; at += write_step) {
        size_t step = size - at < write_step ? size - at : write_step;
        assert_int_equal(snapshot_write(writer, body + at, step, &error), 0);
        assert_int_equal(snapshot_written(writer), at + step);
    }
    assert_int_equal(snapshot_commit(writer, 1, &error), 0);

    struct snapshot_reader *reader = snapshot_open(FILE_NAME, &error);
    assert_non_null(reader);
    assert_int_equal(snapshot_size(reader), size);
    size_t total = 0;
    int64_t done;
    while ((done = snapshot_read(reader, back + total,
                                 size + 10 - total < read_step ? size + 10 - total : read_step,
                                 &error)) > 0) {
        total += (size_t)done;
        assert_true(total == size || (size_t)done == read_step);
    }
    assert_int_equal(done, 0);
    assert_int_equal(total, size);
    assert_memory_equal(back, body, size);
    snapshot_close(reader);
    free(body);
    free(back);
}

static void round_trips(void **state)
{
    enum { K = 1024, M = K * K };
    (void)state;
    check_round_trip(16, 16, 100);
    check_round_trip(17, 1, 1);
    check_round_trip(1000, 7, 13);
    check_round_trip(256 * K - 1, 1000, 4096);
    check_round_trip(256 * K, 256 * K, 256 * K);
    check_round_trip(256 * K + 1, 256 * K + 1, 256 * K + 11);
    check_round_trip(3 * M + 5, 3 * M + 5, 3 * M + 15);
    check_round_trip(3 * M + 5, 300 * K, 77777);
    check_round_trip(3 * M + 5, 77777, 700 * K);
}

static void abort_leaves_nothing(void **state)
{
    struct error error;
    (void)state;
    save(1, 2);
    struct snapshot_writer *writer = snapshot_begin(FILE_NAME, &error);
    assert_non_null(writer);
    assert_int_equal(snapshot_write(writer, "abc", 3, &error), 0);
    snapshot_abort(writer);
    snapshot_abort(NULL);
    snapshot_close(NULL);
    assert_string_equal(scratch_list(), FILE_NAME);
    assert_string_equal(values(1), "1");
}

/* ---- damage */

static void every_truncation_is_refused(void **state)
{
    size_t size;
    (void)state;
    save(1, 1);
    unsigned char *data = scratch_read(FILE_NAME, &size);
    for (size_t cut = 0; cut < size; cut++) {
        scratch_write("cut", data, cut);
        assert_int_equal(scratch_load("cut"), cut == 0 ? ERROR_ABSENT : ERROR_DAMAGED);
        if (cut > 0) { /* and from the front */
            scratch_write("cut", data + cut, size - cut);
            assert_true(scratch_load("cut") < 0);
        }
    }
    free(data);
}

static void every_flipped_byte_is_refused(void **state)
{
    size_t size;
    (void)state;
    save(1, 1);
    unsigned char *data = scratch_read(FILE_NAME, &size);
    int fd = open(FILE_NAME, O_WRONLY);
    for (size_t at = 0; at < size; at++) {
        for (int change = 1; change < 256; change++) {
            unsigned char byte = data[at] ^ (unsigned char)change;
            assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
            assert_int_equal(scratch_load(FILE_NAME), ERROR_DAMAGED);
        }
        assert_int_equal(pwrite(fd, data + at, 1, (off_t)at), 1);
    }
    assert_string_equal(values(1), "1");
    close(fd);
    free(data);
}

static void inserted_and_lost_bytes_are_refused(void **state)
{
    size_t size;
    (void)state;
    save(1, 1);
    unsigned char *data = scratch_read(FILE_NAME, &size);
    unsigned char *more = malloc(size + 1);
    for (size_t at = 0; at <= size; at++) {
        memcpy(more, data, at);
        more[at] = 1; /* as in the body, where it shows in the length alone */
        memcpy(more + at + 1, data + at, size - at);
        scratch_write("more", more, size + 1);
        assert_true(scratch_load("more") < 0);
        if (at < size) {
            memmove(more + at, data + at + 1, size - at - 1);
            scratch_write("less", more, size - 1);
            assert_true(scratch_load("less") < 0);
        }
    }
    free(more);
    free(data);
}

/* Rewrites the sample with another version and a checksum that fits, as a later ckptlua would. */
static void write_version(unsigned char version, int with_trailer)
{
    unsigned char head[FORMAT_HEAD_SIZE];
    struct error error;
    format_put_head(head, 1);
    head[15] = version;
    struct snapshot_writer *writer = snapshot_begin(FILE_NAME, &error);
    assert_int_equal(snapshot_write(writer, head, sizeof head, &error), 0);
    assert_int_equal(snapshot_commit(writer, 1, &error), 0);
    if (!with_trailer)
        assert_int_equal(truncate(FILE_NAME, FORMAT_HEAD_SIZE + 5), 0);
}

static void messages_name_the_reason(void **state)
{
    size_t size;
    (void)state;
    refused("none", ERROR_ABSENT, "none: no such file");
    scratch_write("empty", "", 0);
    refused("empty", ERROR_ABSENT, "empty is empty");
    scratch_write("text", "hello, world; what a fine day", 29);
    refused("text", ERROR_NOT_SNAPSHOT, "text is not a ckptlua snapshot");
    scratch_write("short", "hello", 5);
    refused("short", ERROR_NOT_SNAPSHOT, "short is not a ckptlua snapshot");
    assert_int_equal(mkdir("folder", 0777), 0);
    refused("folder", ERROR_NOT_SNAPSHOT, "folder is a directory");
    assert_int_equal(mkfifo("fifo", 0666), 0);
    refused("fifo", ERROR_NOT_SNAPSHOT, "fifo is not a regular file");
    assert_int_equal(symlink("loop", "loop"), 0);
    refused("loop", ERROR_SYSTEM, "cannot read loop: too many levels of symbolic links");

    write_version(7, 1);
    refused(FILE_NAME, ERROR_NEWER,
            "mean.ckpt was written by a later ckptlua (format 7; this one reads up to 1)");
    write_version(7, 0);
    refused(FILE_NAME, ERROR_NEWER,
            "mean.ckpt was written by a later ckptlua (format 7; this one reads up to 1)");
    write_version(0, 1);
    refused(FILE_NAME, ERROR_DAMAGED, "mean.ckpt is damaged (its first bytes)");

    save(1, 1);
    damage(FILE_NAME);
    refused(FILE_NAME, ERROR_DAMAGED, "mean.ckpt is damaged (checksum of the body)");
    save(1, 1);
    assert_int_equal(truncate(FILE_NAME, 60), 0);
    refused(FILE_NAME, ERROR_DAMAGED,
            "mean.ckpt is damaged (cut off or overwritten: no end mark after 60 bytes)");
    assert_int_equal(truncate(FILE_NAME, 10), 0);
    refused(FILE_NAME, ERROR_DAMAGED, "mean.ckpt is damaged (cut off in its first bytes)");
    save(1, 1);
    unsigned char *data = scratch_read(FILE_NAME, &size);
    memmove(data + 20, data + 30, size - 30);
    scratch_write(FILE_NAME, data, size - 10);
    free(data);
    refused(FILE_NAME, ERROR_DAMAGED, "mean.ckpt is damaged (cut off: 56 bytes, 66 expected)");
}

static void a_change_while_reading_is_noticed(void **state)
{
    enum { SIZE = 700000 };
    static unsigned char data[SIZE + 100];
    struct error error = {0};
    (void)state;
    for (int how = 0; how < 2; how++) {
        assert_int_equal(scratch_save(FILE_NAME, 1, SIZE, 1, &error), 0);
        struct snapshot_reader *reader = snapshot_open(FILE_NAME, &error);
        assert_non_null(reader);
        assert_int_equal(snapshot_read(reader, data, 16, &error), 16);
        int fd = open(FILE_NAME, O_WRONLY);
        if (how == 0)
            assert_int_equal(pwrite(fd, "x", 1, SIZE - 100), 1);
        else
            assert_int_equal(ftruncate(fd, SIZE - 100), 0);
        close(fd);
        assert_int_equal(snapshot_read(reader, data, SIZE, &error), ERROR_DAMAGED);
        assert_int_equal(snapshot_read(reader, data, 1, &error), ERROR_DAMAGED);
        snapshot_close(reader);
    }
}

/* A snapshot that is replaced while it is read stays readable: it is another file. */
static void a_replaced_file_is_read_to_its_end(void **state)
{
    static unsigned char data[600000];
    struct error error = {0};
    (void)state;
    assert_int_equal(scratch_save(FILE_NAME, 1, sizeof data, 1, &error), 0);
    struct snapshot_reader *reader = snapshot_open(FILE_NAME, &error);
    assert_non_null(reader);
    save(2, 1);
    assert_int_equal(snapshot_read(reader, data, 16, &error), 16);
    assert_int_equal(snapshot_read(reader, data, sizeof data, &error), sizeof data);
    assert_int_equal(data[sizeof data - 1], 1);
    snapshot_close(reader);
    assert_string_equal(values(1), "2");
}

/* ---- what FILE may be */

static void permissions_stay(void **state)
{
    struct stat info;
    mode_t before = umask(027);
    (void)state;
    save(1, 2);
    assert_int_equal(stat(FILE_NAME, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0640);
    assert_int_equal(chmod(FILE_NAME, 0606), 0);
    save(2, 2);
    assert_int_equal(stat(FILE_NAME, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0606);
    umask(before);
}

static void only_a_regular_file_is_replaced(void **state)
{
    struct error error;
    (void)state;
    assert_int_equal(mkdir(FILE_NAME, 0777), 0);
    assert_null(snapshot_begin(FILE_NAME, &error));
    assert_int_equal(error.code, ERROR_NOT_SNAPSHOT);
    assert_string_equal(error.message, "mean.ckpt is a directory");
    assert_null(snapshot_begin("/dev/null", &error));
    assert_string_equal(error.message, "/dev/null is not a regular file");
    assert_null(snapshot_begin("", &error));
    assert_null(snapshot_begin("folder/", &error));
    assert_string_equal(error.message, "'folder/' is not the name of a file");
    assert_null(snapshot_begin("no/such/file", &error));
    assert_int_equal(error.code, ERROR_SYSTEM);
    assert_int_equal(error.system, ENOENT);
    assert_string_equal(error.message, "saving to no/such/file failed: no such file or directory");
    assert_string_equal(scratch_list(), FILE_NAME);
}

static void leftovers_and_traps_are_not_followed(void **state)
{
    size_t size;
    (void)state;
    scratch_write("victim", "precious", 8);
    assert_int_equal(symlink("victim", FILE_NAME ".tmp"), 0);
    save(1, 2);
    assert_int_equal(symlink("victim", FILE_NAME ".1.tmp"), 0);
    save(2, 2);
    scratch_write(FILE_NAME ".tmp", "left by a killed one", 20);
    scratch_write(FILE_NAME ".1.tmp", "left by a killed one", 20);
    save(3, 2);
    assert_string_equal(values(2), "32");
    unsigned char *data = scratch_read("victim", &size);
    assert_int_equal(size, 8);
    assert_memory_equal(data, "precious", 8);
    free(data);
    assert_string_equal(scratch_list(), "mean.ckpt mean.ckpt.1 victim");
}

static void a_file_of_another_writer_stays(void **state)
{
    struct error error = {0};
    (void)state;
    save(1, 2);
    struct snapshot_writer *writer = snapshot_begin(FILE_NAME, &error);
    assert_non_null(writer);
    struct snapshot_writer *other = snapshot_begin(FILE_NAME, &error);
    assert_non_null(other);
    assert_int_equal(snapshot_commit(writer, 2, &error), ERROR_INVALID);
    assert_string_equal(scratch_list(), "mean.ckpt mean.ckpt.tmp");
    assert_string_equal(values(1), "1");
    snapshot_abort(other);
    assert_string_equal(scratch_list(), "mean.ckpt");
}

static void links_stay_links(void **state)
{
    struct error error = {0};
    struct stat info;
    (void)state;
    assert_int_equal(mkdir("far", 0777), 0);
    assert_int_equal(symlink("far/two", "one"), 0);
    assert_int_equal(symlink("three", "far/two"), 0); /* beside far/two; points to nothing yet */
    for (int value = 1; value <= 3; value++)
        assert_int_equal(scratch_save("one", value, 50, 2, &error), 0);
    assert_int_equal(lstat("one", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat("far/two", &info), 0);
    assert_true(S_ISLNK(info.st_mode));
    assert_int_equal(lstat("far/three", &info), 0);
    assert_true(S_ISREG(info.st_mode));
    assert_int_equal(scratch_load("one"), 3);
    assert_int_equal(scratch_load("far/three.1"), 2);
    assert_string_equal(scratch_list(), "far one");
    unlink("far/two");
    unlink("far/three");
    unlink("far/three.1");
}

static void check_resolved(const char *file, const char *expected)
{
    struct error error = {0};
    char *path = generations_resolve(file, &error);
    if (expected == NULL)
        assert_null(path);
    else if (path == NULL)
        fail_msg("%s: %s", file, error.message);
    else
        assert_string_equal(path, expected);
    free(path);
}

static void names_are_resolved(void **state)
{
    struct error error = {0};
    char here[4096], absolute[5000], name[32];
    (void)state;
    assert_non_null(getcwd(here, sizeof here));
    check_resolved("plain", "plain");
    check_resolved("./none/such", "./none/such");
    assert_int_equal(symlink("target", "relative"), 0);
    check_resolved("relative", "target");
    check_resolved("./relative", "./target");
    snprintf(absolute, sizeof absolute, "%s/relative", here);
    assert_int_equal(symlink(absolute, "absolute"), 0);
    snprintf(absolute, sizeof absolute, "%s/target", here);
    check_resolved("absolute", absolute);
    assert_int_equal(symlink("nowhere/", "folder"), 0);
    check_resolved("folder", NULL);

    assert_int_equal(symlink("end", "link1"), 0);
    for (int i = 2; i <= 41; i++) {
        char target[32];
        snprintf(target, sizeof target, "link%d", i - 1);
        snprintf(name, sizeof name, "link%d", i);
        assert_int_equal(symlink(target, name), 0);
    }
    check_resolved("link40", "end");
    assert_null(generations_resolve("link41", &error));
    assert_int_equal(error.system, ELOOP);
    assert_int_equal(symlink("b", "a"), 0);
    assert_int_equal(symlink("a", "b"), 0);
    check_resolved("a", NULL);
    check_resolved("", NULL);
}

/* ---- generations */

static void generations_follow_keep(void **state)
{
    (void)state;
    for (int value = 1; value <= 7; value++)
        save(value, 5);
    assert_string_equal(values(7), "76543--");
    save(8, 2);
    assert_string_equal(values(7), "87-----");
    save(9, 1);
    assert_string_equal(values(7), "9------");
    assert_string_equal(scratch_list(), "mean.ckpt");
    save(1, 1);
    save(2, 3);
    save(3, 3);
    assert_string_equal(values(4), "321-");
}

static void rotation_copes_with_what_a_kill_leaves(void **state)
{
    (void)state;
    for (int value = 1; value <= 3; value++)
        save(value, 3);
    /* FILE.1 missing, FILE.2 there: no generation is lost. */
    assert_int_equal(unlink(FILE_NAME ".1"), 0);
    save(4, 3);
    assert_string_equal(values(4), "431-");
    /* FILE.1 is FILE already; nothing is shifted a second time. */
    assert_int_equal(unlink(FILE_NAME ".1"), 0);
    assert_int_equal(link(FILE_NAME, FILE_NAME ".1"), 0);
    save(5, 3);
    assert_string_equal(values(4), "541-");
    /* The same with FILE.1.tmp a third name, as between its making and its renaming. */
    assert_int_equal(link(FILE_NAME ".1", FILE_NAME ".1.tmp"), 0);
    save(6, 3);
    assert_string_equal(values(4), "654-");
    /* A gap at the end. */
    assert_int_equal(unlink(FILE_NAME ".2"), 0);
    save(7, 4);
    assert_string_equal(values(4), "765-");
    /* FILE.1 and FILE.2 two names of one file: rename does nothing then. */
    assert_int_equal(unlink(FILE_NAME ".2"), 0);
    assert_int_equal(link(FILE_NAME ".1", FILE_NAME ".2"), 0);
    save(8, 3);
    assert_string_equal(values(4), "876-");
    /* Gaps among those that are too many. */
    copy(FILE_NAME, FILE_NAME ".9");
    copy(FILE_NAME, FILE_NAME ".5");
    save(9, 2);
    assert_string_equal(scratch_list(), "mean.ckpt mean.ckpt.1");
    assert_string_equal(values(2), "98");
}

static void none_to_keep_leaves_all_alone(void **state)
{
    (void)state;
    for (int value = 1; value <= 3; value++)
        save(value, 3);
    save(4, 0);
    assert_string_equal(values(4), "421-");
}

static void an_empty_file_is_no_generation(void **state)
{
    (void)state;
    scratch_write(FILE_NAME, "", 0);
    save(1, 3);
    assert_string_equal(scratch_list(), "mean.ckpt");
    save(2, 3);
    assert_int_equal(unlink(FILE_NAME), 0);
    save(3, 3);
    assert_string_equal(values(3), "31-");
}

static void marks_stay(void **state)
{
    struct error error;
    (void)state;
    save(1, 2);
    save(2, 2);
    scratch_write(FILE_NAME "@step", "older", 5);
    assert_int_equal(generations_keep_as(FILE_NAME, FILE_NAME "@step", &error), 0);
    assert_int_equal(generations_keep_as(FILE_NAME, FILE_NAME "@step", &error), 0);
    save(3, 2);
    assert_int_equal(scratch_load(FILE_NAME "@step"), 2);
    assert_int_equal(generations_remove(FILE_NAME, &error), 0);
    assert_string_equal(scratch_list(), "mean.ckpt@step");
    assert_int_equal(generations_keep_as("none", "other", &error), ERROR_SYSTEM);
    assert_int_equal(error.system, ENOENT);
    assert_string_equal(scratch_list(), "mean.ckpt@step");
}

static void a_damaged_file_gives_way(void **state)
{
    struct error error;
    (void)state;
    for (int value = 1; value <= 4; value++)
        save(value, 4);
    damage(FILE_NAME);
    scratch_write(FILE_NAME ".bad", "an older one", 12);
    assert_int_equal(generations_fall_back(FILE_NAME, 1, &error), 0);
    assert_string_equal(values(4), "3-21");
    assert_int_equal(scratch_load(FILE_NAME ".bad"), ERROR_DAMAGED);

    /* As a kill in the middle leaves it: FILE.bad is FILE. */
    damage(FILE_NAME);
    unlink(FILE_NAME ".bad");
    assert_int_equal(link(FILE_NAME, FILE_NAME ".bad"), 0);
    assert_int_equal(generations_fall_back(FILE_NAME, 2, &error), 0);
    assert_string_equal(values(4), "2--1");
    assert_int_equal(generations_fall_back(FILE_NAME, 1, &error), ERROR_ABSENT);
    assert_int_equal(generations_fall_back(FILE_NAME, 0, &error), ERROR_INVALID);
    assert_string_equal(values(4), "2--1");
    assert_string_equal(scratch_list(), "mean.ckpt mean.ckpt.3 mean.ckpt.bad");
    save(5, 4);
    assert_string_equal(values(4), "52-1");
}

static void fresh_sets_aside(void **state)
{
    struct error error;
    (void)state;
    for (int value = 1; value <= 3; value++)
        save(value, 3);
    scratch_write(FILE_NAME ".old", "an older one", 12);
    assert_int_equal(generations_set_aside(FILE_NAME, "old", &error), 0);
    assert_string_equal(scratch_list(), "mean.ckpt.old");
    assert_int_equal(scratch_load(FILE_NAME ".old"), 3);
    /* Nothing there, or an empty file: FILE.old stays. */
    assert_int_equal(generations_set_aside(FILE_NAME, "old", &error), 0);
    scratch_write(FILE_NAME, "", 0);
    assert_int_equal(generations_set_aside(FILE_NAME, "old", &error), 0);
    assert_int_equal(scratch_load(FILE_NAME ".old"), 3);
}

static void all_goes_at_the_end(void **state)
{
    struct error error;
    (void)state;
    for (int value = 1; value <= 5; value++)
        save(value, 5);
    unlink(FILE_NAME ".2");
    scratch_write(FILE_NAME ".tmp", "x", 1);
    scratch_write(FILE_NAME ".1.tmp", "x", 1);
    scratch_write(FILE_NAME ".old", "x", 1);
    scratch_write(FILE_NAME ".bad", "x", 1);
    scratch_write(FILE_NAME "@1", "x", 1);
    scratch_write(FILE_NAME ".10x", "x", 1);
    generations_clean(FILE_NAME);
    assert_string_equal(values(5), "54-21");
    generations_forget_older(FILE_NAME);
    assert_string_equal(values(5), "5----");
    assert_int_equal(generations_remove(FILE_NAME, &error), 0);
    assert_int_equal(generations_remove(FILE_NAME, &error), 0);
    assert_string_equal(scratch_list(), "mean.ckpt.10x mean.ckpt.bad mean.ckpt.old mean.ckpt@1");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bytes_are_those_of_the_format),
        TEST(round_trips),
        TEST(abort_leaves_nothing),
        TEST(every_truncation_is_refused),
        TEST(every_flipped_byte_is_refused),
        TEST(inserted_and_lost_bytes_are_refused),
        TEST(messages_name_the_reason),
        TEST(a_change_while_reading_is_noticed),
        TEST(a_replaced_file_is_read_to_its_end),
        TEST(permissions_stay),
        TEST(only_a_regular_file_is_replaced),
        TEST(leftovers_and_traps_are_not_followed),
        TEST(a_file_of_another_writer_stays),
        TEST(links_stay_links),
        TEST(names_are_resolved),
        TEST(generations_follow_keep),
        TEST(rotation_copes_with_what_a_kill_leaves),
        TEST(none_to_keep_leaves_all_alone),
        TEST(an_empty_file_is_no_generation),
        TEST(marks_stay),
        TEST(a_damaged_file_gives_way),
        TEST(fresh_sets_aside),
        TEST(all_goes_at_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
