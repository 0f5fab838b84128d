/* base: durations, clocks, bytes, errors. */
#include <errno.h>
#include <locale.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/error.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static void durations(void **state)
{
    static const struct {
        const char *text;
        double seconds;
    } good[] = {{"0", 0},
                {"0s", 0},
                {"0.0m", 0},
                {"500ms", 0.5},
                {"1ms", 0.001},
                {"60s", 60},
                {"0.1s", 0.1},
                {"0.3s", 0.3},
                {"5m", 300},
                {"4h", 14400},
                {"1d", 86400},
                {"1.5h", 5400},
                {"007s", 7},
                {"0.25d", 21600},
                {"1000000000s", 1e9},
                {"1.000000000000000000000000000000000000000s", 1}};
    (void)state;
    for (size_t i = 0; i < COUNT(good); i++) {
        double seconds = -1;
        if (clock_parse_duration(good[i].text, &seconds) != 0 || seconds != good[i].seconds)
            fail_msg("'%s' is %.17g", good[i].text, seconds);
    }
}

static void no_durations(void **state)
{
    static const char *const bad[] = {
        "",     " ",    "s",     "5",    "00",  "0.0",  "5x",   "-1s",   "+1s",         " 1s",
        "1 s",  "1s ",  "1ss",   "1S",   "1M",  "1min", "1sec", "inf",   "infs",        "nan",
        "nans", "0x1s", "1e3s",  "1.s",  ".5s", ".s",   ".",    "1..5s", "1.5.2s",      "1,5s",
        "1.5",  "1d2h", "1ms1s", "1m s", "m",   "1\ns", "1s\n", "1_0s",  "1000000001s", "20000d"};
    char digits[500];
    (void)state;
    for (size_t i = 0; i < COUNT(bad); i++) {
        double seconds = 42;
        if (clock_parse_duration(bad[i], &seconds) != ERROR_INVALID || seconds != 42)
            fail_msg("'%s' is taken for %g s", bad[i], seconds);
    }
    memset(digits, '9', sizeof digits);
    memcpy(digits + sizeof digits - 2, "s", 2);
    double seconds;
    assert_int_equal(clock_parse_duration(digits, &seconds), ERROR_INVALID);
}

/* Where a German locale is installed, numbers still have points. */
static void durations_have_no_locale(void **state)
{
    double seconds = 0;
    (void)state;
    if (setlocale(LC_ALL, "de_DE.UTF-8") == NULL && setlocale(LC_ALL, "de_DE") == NULL)
        skip();
    int point = clock_parse_duration("1.5s", &seconds),
        comma = clock_parse_duration("1,5s", &seconds);
    setlocale(LC_ALL, "C");
    assert_int_equal(point, 0);
    assert_int_equal(comma, ERROR_INVALID);
}

static void clocks_go_on(void **state)
{
    (void)state;
    double before = clock_monotonic();
    for (int i = 0; i < 1000; i++) {
        double now = clock_monotonic();
        assert_true(now >= before);
        before = now;
    }
    assert_true(clock_wall() > 1.7e9); /* 2023 */
}

static void bytes_grow(void **state)
{
    struct bytes bytes = {0};
    (void)state;
    assert_int_equal(bytes_append(&bytes, NULL, 0), 0);
    for (int i = 0; i < 10000; i++) {
        unsigned char byte = (unsigned char)i;
        assert_int_equal(bytes_append(&bytes, &byte, 1), 0);
    }
    assert_int_equal(bytes.size, 10000);
    for (int i = 0; i < 10000; i++)
        assert_int_equal(bytes.data[i], i & 255);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX), ERROR_MEMORY);
    assert_int_equal(bytes_reserve(&bytes, SIZE_MAX - 10000), ERROR_MEMORY);
    assert_int_equal(bytes.size, 10000);
    bytes_free(&bytes);
    assert_null(bytes.data);
}

static void numbers_are_big_endian(void **state)
{
    static const unsigned char expected[] = {1, 2, 3, 4, 5, 6, 7, 0x88};
    unsigned char out[8];
    (void)state;
    bytes_put_u64(out, 0x0102030405060788);
    assert_memory_equal(out, expected, 8);
    assert_true(bytes_get_u64(out) == 0x0102030405060788);
    assert_true(bytes_get_u32(out + 4) == 0x05060788);
    assert_int_equal(bytes_get_u16(out + 6), 0x0788);
    bytes_put_u64(out, UINT64_MAX);
    assert_true(bytes_get_u64(out) == UINT64_MAX);
}

static void errors_tell(void **state)
{
    struct error error;
    char longer[3000];
    (void)state;
    assert_int_equal(error_set(&error, ERROR_BUSY, "%s is %d", "x", 3), ERROR_BUSY);
    assert_int_equal(error.code, ERROR_BUSY);
    assert_int_equal(error.system, 0);
    assert_string_equal(error.message, "x is 3");
    error_set(&error, ERROR_BUSY, "so: %s", error.message);
    assert_string_equal(error.message, "so: x is 3");
    errno = ENOENT;
    assert_int_equal(error_set_system(&error, "cannot open %s", "y"), ERROR_SYSTEM);
    assert_int_equal(error.system, ENOENT);
    assert_int_equal(errno, ENOENT);
    assert_string_equal(error.message, "cannot open y: no such file or directory");
    memset(longer, 'z', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    errno = EIO;
    error_set_system(&error, "%s", longer);
    assert_int_equal(strlen(error.message), sizeof error.message - 1);
    assert_int_equal(error_set(NULL, ERROR_INVALID, "nobody asks"), ERROR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(durations),
        cmocka_unit_test(no_durations),
        cmocka_unit_test(durations_have_no_locale),
        cmocka_unit_test(clocks_go_on),
        cmocka_unit_test(bytes_grow),
        cmocka_unit_test(numbers_are_big_endian),
        cmocka_unit_test(errors_tell),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
