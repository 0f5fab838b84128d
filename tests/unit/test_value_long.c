/* label: long */
/* value: sizes that take a while, and some GiB of memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "value_support.h"

static void way(const char *set, const char *check)
{
    struct bytes body = {0};
    lua_State *a = value_open(NULL);
    value_run(a, set);
    if (!value_encode(a, 0, &body))
        fail_msg("%s", lua_tostring(a, -1));
    lua_close(a);
    lua_State *b = value_open(NULL);
    if (!value_decode(b, 0, body.data, body.size))
        fail_msg("%s", lua_tostring(b, -1));
    bytes_free(&body);
    value_run(b, check);
    lua_close(b);
}

static void linked_list(void **state)
{
    (void)state;
    way("for i = 1, 10000000 do list = {next = list, value = i} end",
        "local n, node = 10000000, list\n"
        "while node do assert(node.value == n); n = n - 1; node = node.next end\n"
        "assert(n == 0)");
}

/* One value at each level, by its key, its metatable and in its sequence. */
static void nested(void **state)
{
    (void)state;
    way("t = {}\nfor i = 1, 1000000 do t = setmetatable({[t] = {i}}, {t}) end",
        "local n = 1000000\n"
        "while next(t) do\n"
        "    local below, value = next(t)\n"
        "    assert(value[1] == n and getmetatable(t)[1] == below)\n"
        "    n, t = n - 1, below\n"
        "end\n"
        "assert(n == 0)");
}

/* Above 1 GiB a string goes in pieces. */
static void long_strings(void **state)
{
    (void)state;
    way("text = ('0123456789abcdef'):rep((1 << 26) + 1); list = {text, text}; b = box(text)",
        "assert(#text == (1 << 30) + 16 and list[1] == text and list[2] == text)\n"
        "assert(text:sub((1 << 30) - 3, (1 << 30) + 3) == 'cdef012')\n"
        "local inside = open(b); assert(inside == text)");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(linked_list), cmocka_unit_test(nested),
                                       cmocka_unit_test(long_strings)};
    return cmocka_run_group_tests_name("large values", tests, NULL, NULL);
}
