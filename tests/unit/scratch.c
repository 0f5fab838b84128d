#include "scratch.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/format.h"
#include "store/snapshot.h"

static char folder[4096], home[4096];

int scratch_setup(void **state)
{
    const char *parent = getenv("TMPDIR");
    (void)state;
    snprintf(folder, sizeof folder, "%s/ckptlua-unit-XXXXXX", parent == NULL ? "/tmp" : parent);
    return getcwd(home, sizeof home) == NULL || mkdtemp(folder) == NULL || chdir(folder) != 0 ? -1
                                                                                              : 0;
}

static int filter(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

void scratch_empty(void)
{
    struct dirent **entries;
    int number = scandir(".", &entries, filter, NULL);
    assert_true(number >= 0);
    for (int i = 0; i < number; i++) {
        assert_int_equal(remove(entries[i]->d_name), 0);
        free(entries[i]);
    }
    free(entries);
}

int scratch_teardown(void **state)
{
    (void)state;
    scratch_empty();
    return chdir(home) != 0 || rmdir(folder) != 0 ? -1 : 0;
}

void scratch_write(const char *name, const void *data, size_t size)
{
    FILE *file = fopen(name, "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(data, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

unsigned char *scratch_read(const char *name, size_t *size)
{
    struct stat info;
    FILE *file = fopen(name, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &info), 0);
    *size = (size_t)info.st_size;
    unsigned char *data = malloc(*size + 1);
    assert_non_null(data);
    assert_int_equal(fread(data, 1, *size, file), *size);
    fclose(file);
    return data;
}

const char *scratch_list(void)
{
    static char list[4096];
    struct dirent **entries;
    int number = scandir(".", &entries, filter, alphasort);
    size_t used = 0;
    assert_true(number >= 0);
    list[0] = '\0';
    for (int i = 0; i < number; i++) {
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? " " : "",
                                 entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
    assert_true(used < sizeof list);
    return list;
}

int scratch_descriptors(void)
{
    struct dirent **entries;
    int number = scandir("/proc/self/fd", &entries, NULL, NULL);
    assert_true(number > 0);
    for (int i = 0; i < number; i++)
        free(entries[i]);
    free(entries);
    return number;
}

int scratch_save(const char *file, int value, size_t size, int keep, struct error *error)
{
    static unsigned char body[1024 * 1024];
    unsigned char head[FORMAT_HEAD_SIZE];
    assert_true(size <= sizeof body);
    memset(body, value, size);
    format_put_head(head, 1);
    struct snapshot_writer *writer = snapshot_begin(file, error);
    if (writer == NULL)
        return error->code;
    if (snapshot_write(writer, head, sizeof head, error) != 0 ||
        snapshot_write(writer, body, size, error) != 0) {
        snapshot_abort(writer);
        return error->code;
    }
    return snapshot_commit(writer, keep, error);
}

int scratch_load(const char *file)
{
    unsigned char data[1000];
    struct error error = {0};
    struct snapshot_reader *reader = snapshot_open(file, &error);
    if (reader == NULL) {
        assert_int_not_equal(error.code, 0);
        assert_string_not_equal(error.message, "");
        return error.code;
    }
    int value = 0;
    int64_t size = snapshot_read(reader, data, FORMAT_HEAD_SIZE, &error);
    assert_true(size == FORMAT_HEAD_SIZE || size < 0);
    while (size > 0 && (size = snapshot_read(reader, data, sizeof data, &error)) > 0) {
        value = data[0];
        for (int64_t i = 0; i < size; i++)
            assert_int_equal(data[i], value);
    }
    snapshot_close(reader);
    return size < 0 ? (int)size : value;
}

unsigned long scratch_seed(void)
{
    const char *given = getenv("CKPTLUA_TEST_SEED");
    unsigned long seed = given != NULL ? strtoul(given, NULL, 10)
                                       : (unsigned long)time(NULL) ^ (unsigned long)getpid();
    print_message("CKPTLUA_TEST_SEED=%lu\n", seed);
    return seed;
}
