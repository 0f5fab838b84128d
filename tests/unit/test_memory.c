/* value: memory that runs out at each allocation in turn. Nothing is leaked, and all works again
 * when there is memory again. Linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "value_support.h"

/* Calls of malloc and the like until all fail; -1: none do. */
static long plain_countdown = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);

static int plain_fails(void)
{
    if (plain_countdown > 0)
        plain_countdown--;
    return plain_countdown == 0;
}

void *__wrap_malloc(size_t size)
{
    return plain_fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
    return plain_fails() ? NULL : __real_calloc(count, size);
}

void *__wrap_realloc(void *block, size_t size)
{
    return plain_fails() ? NULL : __real_realloc(block, size);
}

static const char script[] = "f = f or function() end\n"
                             "C = C or {}; C.__index = C; register('C', C)\n"
                             "P = P or {}\n"
                             "register('P', P, function(p) return {p.x} end,\n"
                             "    function(d) return setmetatable({x = d[1]}, P) end)\n"
                             "transient('A', A or {7})\n"
                             "package.loaded.mod = package.loaded.mod or {}\n"
                             "sweep()\n";

static const char work[] = "text = ('some text '):rep(20); list = {text, text, 1.5, 2, true}\n"
                           "t = {}; for i = 1, 2500 do t[i] = {i} end\n"
                           "o = setmetatable({x = 1}, C); g = f; k = {[f] = f, A, mod = {}}\n"
                           "k.mod = package.loaded.mod; p = setmetatable({x = {1}}, P)\n"
                           "q = setmetatable({x = p}, P); k[p] = p; b = box('box'); weak =\n"
                           "setmetatable({}, {__mode = 'k'}); math.golden = {1}\n";

static const char check[] = "assert(#text == 200 and list[1] == text and #list == 5)\n"
                            "assert(#t == 2500 and t[2500][1] == 2500 and math.golden[1] == 1)\n"
                            "assert(getmetatable(o) == C and o.x == 1 and g == f and k[f] == f)\n"
                            "assert(k[1] == A and k.mod == package.loaded.mod and p.x[1] == 1)\n"
                            "assert(q.x == p and k[p] == p and getmetatable(p) == P)\n"
                            "assert(open(b) == 'box' and getmetatable(weak).__mode == 'k')\n";

static lua_State *fresh(struct memory *memory)
{
    lua_State *L = value_open(memory);
    char chunk[sizeof script + sizeof work];
    value_run(L, strcat(strcpy(chunk, script), work));
    return L;
}

static void assert_out_of_memory(lua_State *L)
{
    const char *message = lua_tostring(L, -1);
    if (message == NULL ||
        (strcmp(message, "not enough memory") != 0 && strcmp(message, "writing failed") != 0))
        fail_msg("not the message that was expected: %s", message);
    lua_settop(L, 0);
}

/* Up to 200 each is tried, then every `step`-th. */
static long next_try(long n)
{
    return n < 200 ? n + 1 : n + 1 + n / 50;
}

static void close_clean(lua_State *L, const struct memory *memory)
{
    lua_close(L);
    assert_int_equal(memory->used, 0);
}

static void encoding(void **state)
{
    (void)state;
    struct memory memory = {.countdown = -1};
    struct bytes body = {0}, whole = {0};
    lua_State *L = fresh(&memory);
    assert_true(value_encode(L, 0, &whole));
    int done = 0;
    for (long n = 1; !done; n = next_try(n)) {
        body.size = 0;
        memory.countdown = n;
        done = value_encode(L, 0, &body);
        memory.countdown = -1;
        if (!done)
            assert_out_of_memory(L);
    }
    assert_int_equal(body.size, whole.size);
    value_run(L, check);
    lua_gc(L, LUA_GCCOLLECT);
    close_clean(L, &memory);
    bytes_free(&body);
    bytes_free(&whole);
}

static void encoding_plain(void **state)
{
    (void)state;
    struct bytes body = {0}, whole = {0};
    lua_State *L = fresh(NULL);
    assert_true(value_encode(L, 0, &whole));
    int done = 0, failures = 0;
    for (long n = 1; !done; n++) {
        bytes_free(&body);
        plain_countdown = n;
        done = value_encode(L, 0, &body);
        plain_countdown = -1;
        if (!done)
            assert_out_of_memory(L);
        failures += !done;
    }
    assert_int_equal(body.size, whole.size);
    assert_in_range(failures, 5, 1000000);
    lua_close(L);
    bytes_free(&body);
    bytes_free(&whole);
}

static void decoding(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = fresh(NULL);
    assert_true(value_encode(a, 0, &body));
    lua_close(a);
    int done = 0;
    for (long n = 1; !done; n = next_try(n)) {
        struct memory memory = {.countdown = -1};
        lua_State *L = value_open(&memory);
        memory.countdown = n;
        done = value_decode(L, 0, body.data, body.size);
        memory.countdown = -1;
        if (!done) {
            assert_out_of_memory(L);
            assert_true(value_decode(L, 0, body.data, body.size));
        }
        value_run(L, script);
        value_run(L, check);
        close_clean(L, &memory);
    }
    bytes_free(&body);
}

static void resolving(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = fresh(NULL);
    assert_true(value_encode(a, 0, &body));
    lua_close(a);
    int done = 0;
    for (long n = 1; !done; n = next_try(n)) {
        struct memory memory = {.countdown = -1};
        lua_State *L = value_open(&memory);
        assert_true(value_decode(L, 0, body.data, body.size));
        assert_int_equal(luaL_loadbuffer(L, script, strlen(script), "@job.lua"), LUA_OK);
        memory.countdown = n;
        done = lua_pcall(L, 0, 0, 0) == LUA_OK;
        memory.countdown = -1;
        if (!done) {
            assert_out_of_memory(L);
            value_run(L, script);
        }
        value_run(L, check);
        close_clean(L, &memory);
    }
    bytes_free(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(encoding), cmocka_unit_test(encoding_plain),
                                       cmocka_unit_test(decoding), cmocka_unit_test(resolving)};
    return cmocka_run_group_tests_name("out of memory", tests, NULL, NULL);
}
