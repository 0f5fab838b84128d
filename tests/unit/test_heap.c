/* heap: what is not counted, and where the objects of one state after the other lie. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "exact/heap.h"
#include "exact/nodes_check.h"

/* The host enlarges it too. */
static void the_table_of_strings_is_not_counted(void **state)
{
    (void)state;
    static struct heap heap;
    lua_State *L = heap_new_state(&heap, 7);
    assert_non_null(L);
    int counts = heap.zone.where != ZONE_NOWHERE; /* with AddressSanitizer nothing does */
    uint64_t before = zone_since(&heap.zone, ZONE_COUNTED);
    luaL_checkstack(L, 30000, NULL);
    uint64_t stack = zone_since(&heap.zone, ZONE_COUNTED);
    for (int i = 0; i < 30000; i++)
        lua_pushfstring(L, "string %d", i);
    assert_int_equal(zone_since(&heap.zone, ZONE_COUNTED), stack);
    assert_int_equal(stack, before);
    assert_int_equal(before > 0, counts);
    lua_close(L);
    heap_close(&heap);
}

/* Makes a state, with its libraries and a few objects. Returns where some of these are, as text. */
static void note_addresses(struct heap *heap, char *text, size_t size)
{
    lua_State *L = heap_new_state(heap, 7);
    assert_non_null(L);
    luaL_openlibs(L);
    assert_int_equal(luaL_dostring(L, "local t = {}\n"
                                      "for i = 1, 200 do t[i] = {function() return i end} end\n"
                                      "return string.format('%p %p %p %p', _G, t, t[200][1],\n"
                                      "    coroutine.create(print))"),
                     LUA_OK);
    snprintf(text, size, "%s", lua_tostring(L, -1));
    lua_close(L);
}

/* What a state does not leave behind does not move the next one. */
static void a_heap_has_one_state_after_the_other(void **state)
{
    (void)state;
    static struct heap heaps[2];
    struct error error;
    char first[200], second[200];
    note_addresses(&heaps[0], first, sizeof first);
    int has_places = heaps[0].zone.where != ZONE_NOWHERE;
    for (int i = 0; i < 2 && has_places; i++) {
        assert_int_equal(nodes_check_order(&heaps[0], &error), 0);
        note_addresses(&heaps[0], second, sizeof second);
        assert_string_equal(second, first);
    }
    heap_close(&heaps[0]);
    heap_open(&heaps[1], 0);
    assert_int_equal(nodes_check_order(&heaps[1], &error), 0);
    note_addresses(&heaps[1], second, sizeof second);
    if (has_places)
        assert_string_equal(second, first);
    heap_close(&heaps[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_table_of_strings_is_not_counted),
        cmocka_unit_test(a_heap_has_one_state_after_the_other),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
