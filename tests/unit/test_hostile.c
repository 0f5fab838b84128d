/* value: bytes that no encoder wrote give values or a Lua error, and take little memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "value_support.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define TEXT(literal)                \
    {                                \
        literal, sizeof(literal) - 1 \
    }

/* States are used for some bodies each: what an earlier one has left behind must not matter. */
enum { BODIES_A_STATE = 40 };

/* bytes for each byte of the body, and besides */
enum { MEMORY_FACTOR = 64, MEMORY_MORE = 1024 * 1024 };

static struct {
    struct memory memory;
    lua_State *L;
    int bodies;
    long accepted, refused;
} hostile;

static void finish_state(void)
{
    if (hostile.L == NULL)
        return;
    lua_gc(hostile.L, LUA_GCCOLLECT);
    lua_close(hostile.L);
    assert_int_equal(hostile.memory.used, 0);
    hostile.L = NULL;
}

static void print_body(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size && i < 4000; i++)
        print_message("%02x", data[i]);
    print_message("\n");
}

/* Goes on with what was made of the bytes: stand-ins get their values, all is encoded again. Errors
 * are as good as none. */
static void use(lua_State *L, int table)
{
    struct bytes body = {0};
    if (luaL_dostring(L, "local id = function(d) return {d} end\n"
                         "function f() end; transient('A', {}); register('C', {})\n"
                         "register('P', {}, id, id); sweep()") != LUA_OK)
        lua_pop(L, 1);
    value_encode(L, table, &body);
    bytes_free(&body);
}

/* Decodes the bytes in both ways. Returns whether they made sense. */
static int try(const void *data, size_t size)
{
    int accepted = 0;
    /* A copy without room behind it, for the sanitizer. */
    unsigned char *copy = malloc(size + (size == 0));
    if (size > 0)
        memcpy(copy, data, size);
    for (int table = 0; table <= 1; table++) {
        if (hostile.L == NULL) {
            hostile.memory = (struct memory){.countdown = -1};
            hostile.L = value_open_harmless(&hostile.memory);
            hostile.bodies = 0;
        }
        lua_State *L = hostile.L;
        lua_gc(L, LUA_GCCOLLECT);
        hostile.memory.limit = hostile.memory.used + size * MEMORY_FACTOR + MEMORY_MORE;
        accepted = value_decode(L, table, copy, size);
        if (!accepted && hostile.memory.failures > 0) {
            print_body(copy, size);
            fail_msg("too much memory for %zu bytes", size);
        }
        hostile.memory.limit = 0;
        if (accepted)
            use(L, table);
        lua_settop(L, 0);
        lua_gc(L, LUA_GCCOLLECT);
        if (++hostile.bodies >= BODIES_A_STATE || table == 0)
            finish_state(); /* the globals may be anything now */
    }
    free(copy);
    *(accepted ? &hostile.accepted : &hostile.refused) += 1;
    return accepted;
}

static void summary(const char *what)
{
    finish_state();
    print_message("%s: %ld accepted, %ld refused\n", what, hostile.accepted, hostile.refused);
    hostile.accepted = hostile.refused = 0;
}

/* ---------------------------------------------------------------- bodies to damage */

static const char *const sources[] = {
    "a, b, c = 1, 2.5, 'text'; t = {1, {2}, x = {y = 3}, [0.5] = true}; t.t = t",
    "s = {'longer text', 'longer text', ('x'):rep(300)}\n"
    "t = setmetatable({n = 1}, {__index = s, __gc = math.sin, __mode = 'k'})",
    "function f() end; g = f; t = {f, f, [f] = f}; transient('A', {}); t.a = A; u = {A}\n"
    "C = {}; register('C', C); o = setmetatable({x = 1}, C); t.C = C\n",
    "P = {}; register('P', P, function(p) return {p.x, p} end, tostring)\n"
    "p = setmetatable({x = 1}, P); q = {p, [p] = p}; math.p = p; string.s = q\n"
    "b = box('contents'); bb = {b}; names = {math, math.sin, string}\n",
};

static void make(size_t source, struct bytes *body)
{
    lua_State *L = value_open_harmless(NULL);
    body->size = 0;
    value_run(L, sources[source]);
    if (!value_encode(L, 0, body))
        fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
    assert_true(try(body->data, body->size));
}

static void truncations(void **state)
{
    (void)state;
    struct bytes body = {0};
    for (size_t source = 0; source < COUNT(sources); source++) {
        make(source, &body);
        for (size_t size = 0; size < body.size; size++)
            assert_false(try(body.data, size));
        assert_int_equal(bytes_append(&body, "\xC0", 1), 0);
        assert_false(try(body.data, body.size));
    }
    summary("truncations");
    bytes_free(&body);
}

static void single_bytes(void **state)
{
    (void)state;
    static const unsigned char values[] = {0x00, 0x7F, 0x80, 0x90, 0x91, 0x92, 0x93,
                                           0xA0, 0xC0, 0xC1, 0xC3, 0xC6, 0xC9, 0xCB,
                                           0xCF, 0xD6, 0xD7, 0xDB, 0xDD, 0xDF, 0xFF};
    struct bytes body = {0};
    for (size_t source = 0; source < COUNT(sources); source++) {
        make(source, &body);
        for (size_t at = 0; at < body.size; at++) {
            unsigned char old = body.data[at];
            for (size_t i = 0; i < COUNT(values); i++) {
                body.data[at] = values[i];
                try(body.data, body.size);
            }
            for (int bit = 0; bit < 8; bit += 3) {
                body.data[at] = (unsigned char)(old ^ 1 << bit);
                try(body.data, body.size);
            }
            body.data[at] = old;
        }
    }
    summary("single bytes");
    bytes_free(&body);
}

/* ---------------------------------------------------------------- damage by structure */

static const struct {
    const char *data;
    size_t size;
} tokens[] = {
    TEXT("\xDD\xFF\xFF\xFF\xFF"),
    TEXT("\xDF\xFF\xFF\xFF\xFF"),
    TEXT("\xDF\x7F\xFF\xFF\xFF"),
    TEXT("\xC6\xFF\xFF\xFF\xFF"),
    TEXT("\xDB\x00\x10\x00\x00"),
    TEXT("\xC9\xFF\xFF\xFF\xFF\x01"),
    TEXT("\xC7\x00\x01"),
    TEXT("\xC8\x00\x08\x01\0\0\0\0\0\0\0\0"),
    TEXT("\xD7\x01\0\0\0\0\0\0\0\0"),
    TEXT("\xD7\x01\0\0\0\x40\0\0\0\0"),
    TEXT("\xD7\x01\0\0\0\0\0\0\0\x20"),
    TEXT("\xD7\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    TEXT("\xD7\x01\x7F\xFF\xFF\xFF\0\0\0\0"),
    TEXT("\xD7\x02\0\0\0\0\0\0\0\0"),
    TEXT("\xD7\x02\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    TEXT("\xD6\x02\0\0\0\0"),
    TEXT("\xD6\x02\0\0\0\1"),
    TEXT("\xD6\x02\0\0\1\0"),
    TEXT("\xD6\x03\0\0\0\0"),
    TEXT("\xD6\x03\0\0\0\1"),
    TEXT("\xD6\x03\0\0\0\2"),
    TEXT("\xD6\x03\xFF\xFF\xFF\xFF"),
    TEXT("\xD6\x04\0\0\0\0"),
    TEXT("\xD4\x01\0"),
    TEXT("\xC0"),
    TEXT("\xC1"),
    TEXT("\xC2"),
    TEXT("\xCB\x7F\xF8\0\0\0\0\0\0"),
    TEXT("\xCB\x40\x45\0\0\0\0\0\0"),
    TEXT("\xCA\x7F\xC0\0\0"),
    TEXT("\xCF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"),
    TEXT("\xD3\x80\0\0\0\0\0\0\0"),
    TEXT("\x90"),
    TEXT("\x80"),
    TEXT("\x91\xC0"),
    TEXT("\x92\xA4name\xA4math"),
    TEXT("\x92\xA4name\xA2_G"),
    TEXT("\x92\xA4name\xA4none"),
    TEXT("\x92\xA8"
         "function\xA1"
         "f"),
    TEXT("\x92\xA8"
         "function\xA3:::"),
    TEXT("\x92\xA8"
         "function\xA3..."),
    TEXT("\x92\xA8"
         "function\xA0"),
    TEXT("\x92\xA6module\xA3_G."),
    TEXT("\x92\xA6module\xA2_G"),
    TEXT("\x92\xA5"
         "class\xA1"
         "C"),
    TEXT("\x92\xA9transient\xA1"
         "A"),
    TEXT("\x93\xA8userdata\xA3"
         "box\xA3"
         "abc"),
    TEXT("\x93\xA8userdata\xA3"
         "bad\xA3"
         "abc"),
    TEXT("\x93\xA6object\xA1P\xC0"),
    TEXT("\x93\xA6object\xA1P\x93\xA6object\xA1P\xC0"),
    TEXT("\x93\xA6object\xA1P\xD6\x03\0\0\0\0"),
    TEXT("\x93\xA6string\xC4\x02xy\xC4\x01z"),
    TEXT("\x94\xA6string\xC4\xFFxy\xC4\x01z"),
    TEXT("\x92\xA6string\xA2xy"),
    TEXT("\x93\xA4name\xA4math\xC0"),
    TEXT("\x92\xC4\x04name\xA6string"),
    TEXT("\x92\xC0\xC0"),
};

/* One change: some bytes replaced by a token, two places swapped, a part doubled or left out, or
 * bytes at random. */
static void damage(struct bytes *body, uint64_t *seed)
{
    struct bytes made = {0};
    size_t at = value_random(seed) % (body->size + 1), token = value_random(seed) % COUNT(tokens);
    size_t left = body->size - at, part = value_random(seed) % (left < 16 ? left + 1 : 16);
    size_t other = value_random(seed) % (body->size + 1);
    uint64_t kind = value_random(seed) % 8;
    int status = bytes_append(&made, body->data, at);
    switch (kind) {
    case 0:
    case 1:
    case 2:
        status |= bytes_append(&made, tokens[token].data, tokens[token].size);
        status |= bytes_append(&made, body->data + at + part, left - part);
        break;
    case 3:
        status |= bytes_append(&made, body->data + at + part, left - part);
        break;
    case 4:
        status |= bytes_append(&made, body->data + other, body->size - other);
        break;
    case 5:
        status |= bytes_append(&made, tokens[token].data, tokens[token].size);
        status |= bytes_append(&made, body->data + at, left);
        break;
    default:
        status |= bytes_append(&made, body->data + at, left);
        for (uint64_t i = 0; i < kind && made.size > 0; i++)
            made.data[value_random(seed) % made.size] = (unsigned char)value_random(seed);
    }
    assert_int_equal(status, 0);
    bytes_free(body);
    *body = made;
}

static void random_damage(void **state)
{
    (void)state;
    uint64_t seed = value_seed();
    struct bytes body = {0}, whole = {0};
    const char *rounds = getenv("CKPTLUA_TEST_ROUNDS");
    long count = rounds == NULL ? 3000 : atol(rounds);
    for (size_t source = 0; source < COUNT(sources); source++) {
        make(source, &whole);
        for (long i = 0; i < count; i++) {
            body.size = 0;
            assert_int_equal(bytes_append(&body, whole.data, whole.size), 0);
            for (uint64_t changes = 1 + value_random(&seed) % 3; changes > 0; changes--)
                damage(&body, &seed);
            try(body.data, body.size);
        }
    }
    summary("random damage");
    bytes_free(&body);
    bytes_free(&whole);
}

/* ---------------------------------------------------------------- by hand */

#define EMPTY_BODY "\x80\x90\x90"

static void by_hand(void **state)
{
    static const struct {
        const char *data;
        size_t size;
        int good;
    } bodies[] = {
#define GOOD(literal) {literal, sizeof(literal) - 1, 1}
#define BAD(literal)                    \
    {                                   \
        literal, sizeof(literal) - 1, 0 \
    }
        GOOD(EMPTY_BODY),
        BAD(""),
        BAD("\x80"),
        BAD(EMPTY_BODY "\x80"),
        BAD("\x90\x90\x90"),
        BAD("\x80\x80\x90"),
        BAD("\x80\x90\x80"),
        BAD("\x81\xC0\x01\x90\x90"),                     /* keys: nil, */
        BAD("\x81\xCB\x7F\xF8\0\0\0\0\0\0\x01\x90\x90"), /* NaN */
        BAD("\x81\xCA\x7F\xC0\0\0\x01\x90\x90"),         /* a short one */
        GOOD("\x82\x01\x01\x01\x02\x90\x90"),            /* twice the same */
        GOOD("\x81\x01\xC0\x90\x90"),                    /* a value that is nil */
        BAD("\x81\x01\xD6\x02\0\0\0\0\x90\x90"),         /* no such table */
        BAD("\x81\x01\xD6\x03\0\0\0\0\x90\x90"),         /* no such string */
        BAD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"), /* no record */
        GOOD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
             "\x92\x90\x80"),
        BAD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
            "\x93\x90\x80\xC0"), /* metatables: nil, */
        BAD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
            "\x93\x90\x80\x01"), /* a number, */
        BAD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
            "\x93\x90\x80\x92\xA4name\xA8math.sin"), /* a function, */
        GOOD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
             "\x93\x90\x80\xD6\x02\0\0\0\0"), /* itself */
        GOOD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
             "\x93\x90\x80\x92\xA8"
             "function\xA3xyz"), /* a stand-in */
        BAD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
            "\x91\x90"),
        BAD("\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90"
            "\x94\x90\x80\x80\x80"),
        BAD("\x80\x91\x92\xA4none\x80\x90"), /* no such library */
        BAD("\x80\x91\x92\xA8math.sin\x80\x90"),
        GOOD("\x80\x91\x92\xA4math\x81\xA1x\x01\x90"),
        BAD("\x81\x01\xC7\x06\x02\0\0\0\0\0\0\x90\x90"), /* a reference of 6 bytes */
        BAD("\x81\x01\xCF\x80\0\0\0\0\0\0\0\x90\x90"),   /* 2^63 */
    };
    (void)state;
    for (size_t i = 0; i < COUNT(bodies); i++) {
        int good = try(bodies[i].data, bodies[i].size);
        /* decode_table does not look for the library. */
        int library = i == COUNT(bodies) - 5 || i == COUNT(bodies) - 4;
        if (good != bodies[i].good && !library)
            fail_msg("body %zu is %s", i, good ? "accepted" : "refused");
    }
    summary("by hand");
}

static void repeated(const char *front, size_t front_size, const char *part, size_t part_size,
                     size_t times, const char *back, size_t back_size)
{
    struct bytes body = {0};
    assert_int_equal(bytes_append(&body, front, front_size), 0);
    for (size_t i = 0; i < times; i++)
        assert_int_equal(bytes_append(&body, part, part_size), 0);
    assert_int_equal(bytes_append(&body, back, back_size), 0);
    try(body.data, body.size);
    bytes_free(&body);
}
#define REPEATED(front, part, times, back) \
    repeated(front, sizeof(front) - 1, part, sizeof(part) - 1, times, back, sizeof(back) - 1)

/* A table of 65536 values, each the same `count` bytes with a number in them. */
static void numbered(const char *front, const char *back)
{
    struct bytes body = {0};
    char text[100];
    assert_int_equal(bytes_append(&body, "\x81\x01\xD7\x01\0\0\0\0\0\0\0\0\x90\x90\x92", 15), 0);
    assert_int_equal(bytes_append(&body, "\xDD\0\1\0\0", 5), 0);
    for (int i = 0; i < 65536; i++) {
        int size = snprintf(text, sizeof text, "%s%05d%s", front, i, back);
        assert_int_equal(bytes_append(&body, text, (size_t)size), 0);
    }
    assert_int_equal(bytes_append(&body, "\x80", 1), 0);
    assert_true(try(body.data, body.size));
    bytes_free(&body);
}

static void much(void **state)
{
    (void)state;
    REPEATED("\x81\x01", "\x91", 100000, "\xC0\x90\x90");
    REPEATED("\x81\x01", "\x81\x01", 100000, "\xC0\x90\x90");
    REPEATED("\x81\x01", "\x93\xA6object\xA1P", 100000, "\xC0\x90\x90");
    REPEATED("\x80\x90", "\x91", 100000, "\x90");
    /* Many tables, each announced larger than they all are. */
    REPEATED("\xDF\0\0\x40\0", "\x01\xD7\x01\x00\x01\x00\x00\x00\x01\x00\x00", 16384, "\x90\x90");
    REPEATED("\xDF\0\0\x40\0", "\x01\xD7\x01\x00\x00\x00\x00\x00\x00\x00\x00", 16384, "\x90\x90");
    REPEATED("\xDF\0\1\0\0", "\x01\x93\xA6object\xA1P\xC0", 65536, "\x90\x90");
    numbered("\x93\xA6object\xA5", "\xC0");
    numbered("\x92\xA8"
             "function\xA5",
             "");
    numbered("\x92\xA6module\xA5", "");
    numbered("\x92\xA5"
             "class\xA5",
             "");
    numbered("\x93\xA8userdata\xA3"
             "box\xA5",
             "");
    numbered("\xA5", "");
    numbered("\xA9text", "");
    summary("much");
}

/* The file ends, or cannot be read, in the middle. */
static int64_t broken_read(void *context, void *data, size_t size)
{
    int64_t *left = context;
    if (*left <= 0)
        return *left;
    size_t part = size < (size_t)*left ? size : (size_t)*left;
    memset(data, 0x80, part);
    *left = 0;
    return (int64_t)part;
}

static int decode_broken(lua_State *L)
{
    struct source source = {broken_read, lua_touserdata(L, 1), 1000000};
    struct unpack *unpack = unpack_new(L, &source);
    struct unpack_token token;
    for (;;)
        unpack_next(L, unpack, &token);
    return 0;
}

static void broken_source(void **state)
{
    (void)state;
    lua_State *L = value_open_harmless(NULL);
    int64_t left[] = {0, 1, 1000, -5};
    for (size_t i = 0; i < COUNT(left); i++) {
        int fails = left[i] < 0;
        lua_pushcfunction(L, decode_broken);
        lua_pushlightuserdata(L, &left[i]);
        assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
        assert_non_null(strstr(lua_tostring(L, -1), fails ? "reading failed" : "unexpected end"));
        lua_pop(L, 1);
    }
    lua_close(L);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_hand),       cmocka_unit_test(much),
        cmocka_unit_test(broken_source), cmocka_unit_test(truncations),
        cmocka_unit_test(single_bytes),  cmocka_unit_test(random_damage)};
    return cmocka_run_group_tests_name("hostile bytes", tests, NULL, NULL);
}
