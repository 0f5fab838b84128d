/* value: plain data, as any other program would write and read it. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "value/plain.h"
#include "value_support.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static int protected_encode(lua_State *L)
{
    struct sink sink = value_sink(lua_touserdata(L, 1));
    struct pack *pack = pack_new(L, &sink);
    plain_encode(L, 2, pack);
    pack_flush(pack);
    return 0;
}

static int protected_decode(lua_State *L)
{
    struct source source = value_source(lua_touserdata(L, 1));
    plain_decode(L, unpack_new(L, &source));
    return 1;
}

/* Encodes what the expression gives. Returns 0 with the error pushed where it cannot be. */
static int encode(lua_State *L, const char *expression, struct bytes *bytes)
{
    lua_pushcfunction(L, protected_encode);
    lua_pushlightuserdata(L, bytes);
    lua_pushfstring(L, "return %s", expression);
    if (luaL_dostring(L, lua_tostring(L, -1)) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_remove(L, -2);
    return lua_pcall(L, 2, 0, 0) == LUA_OK;
}

static int decode(lua_State *L, const void *data, size_t size)
{
    struct value_source from = {data, size, 0, 3};
    lua_pushcfunction(L, protected_decode);
    lua_pushlightuserdata(L, &from);
    return lua_pcall(L, 1, 1, 0) == LUA_OK;
}

static void bytes_of_values(void **state)
{
    static const struct {
        const char *expression, *bytes;
        size_t size;
    } values[] = {
#define VALUE(expression, bytes) {expression, bytes, sizeof(bytes) - 1}
        VALUE("nil", "\xC0"),
        VALUE("true", "\xC3"),
        VALUE("false", "\xC2"),
        VALUE("0", "\0"),
        VALUE("-1", "\xFF"),
        VALUE("300", "\xCD\x01\x2C"),
        VALUE("math.mininteger", "\xD3\x80\0\0\0\0\0\0\0"),
        VALUE("1.0", "\xCB\x3F\xF0\0\0\0\0\0\0"),
        VALUE("'text'", "\xA4text"),
        VALUE("'\\xFF'", "\xC4\x01\xFF"),
        VALUE("{}", "\x80"),
        VALUE("{1, {2}, 'x'}", "\x93\x01\x91\x02\xA1x"),
        VALUE("{b = 1, a = {c = {}}, [''] = 2}", "\x83\xA0\x02\xA1"
                                                 "a\x81\xA1"
                                                 "c\x80\xA1"
                                                 "b\x01"),
    };
    (void)state;
    lua_State *L = value_open(NULL);
    for (size_t i = 0; i < COUNT(values); i++) {
        struct bytes bytes = {0}, again = {0};
        if (!encode(L, values[i].expression, &bytes))
            fail_msg("%s: %s", values[i].expression, lua_tostring(L, -1));
        assert_int_equal(bytes.size, values[i].size);
        assert_memory_equal(bytes.data, values[i].bytes, bytes.size);
        if (!decode(L, bytes.data, bytes.size))
            fail_msg("%s: %s", values[i].expression, lua_tostring(L, -1));
        lua_setglobal(L, "value");
        assert_true(encode(L, "value", &again));
        assert_int_equal(again.size, bytes.size);
        assert_memory_equal(again.data, bytes.data, bytes.size);
        bytes_free(&bytes);
        bytes_free(&again);
    }
    lua_close(L);
}

static void not_plain(void **state)
{
    static const char *const expressions[] = {
        "print",
        "{print}",
        "{[1.5] = 1}",
        "{x = {[true] = 1}}",
        "{1, 2, x = 3}",
        "{1, nil, 3}",
        "{nil, 2}",
        "{[2] = 2}",
        "coroutine.create(print)",
        "io.stdout",
        "{{{{{{{{{{{{{{{{{{}}}}}}}}}}}}}}}}}}",
        "setmetatable({}, {}).x or (function() local t = {} t[1] = t return t end)()",
        "(function() local t = {} t.x = t return t end)()",
    };
    (void)state;
    lua_State *L = value_open(NULL);
    for (size_t i = 0; i < COUNT(expressions); i++) {
        struct bytes bytes = {0};
        if (encode(L, expressions[i], &bytes))
            fail_msg("plain: %s", expressions[i]);
        if (strstr(lua_tostring(L, -1), "plain data") == NULL)
            fail_msg("%s: %s", expressions[i], lua_tostring(L, -1));
        lua_settop(L, 0);
        bytes_free(&bytes);
    }
    lua_close(L);
}

static void pairs_only(void **state)
{
    (void)state;
    struct bytes bytes = {0};
    struct sink sink = value_sink(&bytes);
    lua_State *L = value_open(NULL);
    struct pack *pack = pack_new(L, &sink);
    assert_int_equal(luaL_dostring(L, "return {z = 1, a = 2}"), LUA_OK);
    assert_int_equal(plain_encode_pairs(L, -1, NULL), 2);
    assert_int_equal(plain_encode_pairs(L, -1, pack), 2);
    assert_int_equal(pack_flush(pack), 0);
    assert_int_equal(bytes.size, 6);
    assert_memory_equal(bytes.data,
                        "\xA1"
                        "a\x02\xA1"
                        "z\x01",
                        6);
    struct value_source from = {bytes.data, bytes.size, 0, 0};
    struct source source = value_source(&from);
    plain_decode_pairs(L, unpack_new(L, &source), 2);
    lua_setglobal(L, "t");
    value_run(L, "assert(t.z == 1 and t.a == 2)");
    lua_close(L);
    bytes_free(&bytes);
}

static void bad_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bodies[] = {
#define BYTES(literal) {literal, sizeof(literal) - 1}
        BYTES(""),
        BYTES("\xC1"),
        BYTES("\x91"),
        BYTES("\x81\xA1x"),
        BYTES("\x81\x01\x01"),
        BYTES("\x81\xC0\x01"),
        BYTES("\xD4\x01\0"),
        BYTES("\xDD\xFF\xFF\xFF\xFF\x01"),
        BYTES("\xDF\xFF\xFF\xFF\xFF\x01\x01"),
        BYTES("\xDB\xFF\xFF\xFF\xFF"),
        BYTES("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
        BYTES("\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x91\x01"),
    };
    (void)state;
    lua_State *L = value_open(NULL);
    for (size_t i = 0; i < COUNT(bodies); i++) {
        if (decode(L, bodies[i].bytes, bodies[i].size))
            fail_msg("accepted: number %zu", i);
        assert_non_null(strstr(lua_tostring(L, -1), " at byte "));
        lua_settop(L, 0);
    }
    lua_close(L);
}

/* Bytes at random: a value or an error, and little memory. */
static void random_bytes(void **state)
{
    (void)state;
    uint64_t seed = value_seed();
    struct memory memory = {.countdown = -1};
    lua_State *L = value_open_harmless(&memory);
    int accepted = 0;
    for (int i = 0; i < 20000; i++) {
        unsigned char bytes[64];
        size_t size = value_random(&seed) % sizeof bytes;
        for (size_t at = 0; at < size; at++) /* mostly containers and short values */
            bytes[at] =
                (unsigned char)(value_random(&seed) % 4 == 0 ? value_random(&seed)
                                                             : 0x80 + value_random(&seed) % 0x24);
        lua_gc(L, LUA_GCCOLLECT);
        memory.limit = memory.used + 200000;
        accepted += decode(L, bytes, size);
        assert_int_equal(memory.failures, 0);
        memory.limit = 0;
        lua_settop(L, 0);
    }
    assert_in_range(accepted, 10, 20000);
    lua_close(L);
    assert_int_equal(memory.used, 0);
}

/* What is written of an integer is read by unpack_peek_integer, whole only. */
static void integers_without_a_state(void **state)
{
    static const int64_t values[] = {0,
                                     1,
                                     127,
                                     128,
                                     255,
                                     256,
                                     65535,
                                     65536,
                                     UINT32_MAX,
                                     INT64_MAX,
                                     (int64_t)UINT32_MAX + 1,
                                     -1,
                                     -32,
                                     -33,
                                     INT8_MIN,
                                     INT8_MIN - 1,
                                     INT16_MIN,
                                     INT16_MIN - 1,
                                     INT32_MIN,
                                     (int64_t)INT32_MIN - 1,
                                     INT64_MIN};
    (void)state;
    lua_State *L = luaL_newstate();
    for (size_t i = 0; i < COUNT(values); i++) {
        struct bytes bytes = {0};
        char expression[40];
        int64_t value;
        snprintf(expression, sizeof expression, "0x%" PRIx64, (uint64_t)values[i]);
        assert_true(encode(L, expression, &bytes));
        for (size_t size = 0; size < bytes.size; size++)
            assert_false(unpack_peek_integer(bytes.data, size, &value));
        assert_true(unpack_peek_integer(bytes.data, bytes.size, &value));
        assert_true(value == values[i]);
        bytes_free(&bytes);
        lua_settop(L, 0);
    }
    lua_close(L);
}

static void no_integers(void **state)
{
    (void)state;
    int64_t value;
    assert_false(unpack_peek_integer((const unsigned char *)"\xCF\xFF\0\0\0\0\0\0\0", 9, &value));
    for (unsigned lead = 0x80; lead < 0xE0; lead++) {
        unsigned char bytes[9] = {(unsigned char)lead};
        assert_int_equal(unpack_peek_integer(bytes, sizeof bytes, &value),
                         lead >= 0xCC && lead <= 0xD3);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_of_values), cmocka_unit_test(not_plain),
        cmocka_unit_test(pairs_only),      cmocka_unit_test(bad_bytes),
        cmocka_unit_test(random_bytes),    cmocka_unit_test(integers_without_a_state),
        cmocka_unit_test(no_integers)};
    return cmocka_run_group_tests_name("plain data", tests, NULL, NULL);
}
