/* exact: where Lua's objects are other than expected there is no exact resume, and a job says so.
 * Such a Lua is played by objects that seem to be where they are not. And where the addresses of
 * objects are others, tables have their order all the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "ckptlua.h"
#include "exact/heap.h"
#include "exact/vm.h"
#include "scratch.h"

int __real_vm_check(struct vm *vm, struct error *error);
int __wrap_vm_check(struct vm *vm, struct error *error);
int __wrap_nodes_check_order(struct heap *heap, struct error *error);
const void *__real_lua_topointer(lua_State *L, int index);
const void *__wrap_lua_topointer(lua_State *L, int index);

enum place { AS_IT_IS, NOWHERE, IN_NO_PAGE, IN_OTHER_MEMORY, BEHIND_IT } place;

static int looking;
static char said[4000]; /* all messages of a run */

int __wrap_vm_check(struct vm *vm, struct error *error)
{
    looking = 1;
    int status = __real_vm_check(vm, error);
    looking = 0;
    return status;
}

const void *__wrap_lua_topointer(lua_State *L, int index)
{
    static const struct vm_thread other;
    const void *real = __real_lua_topointer(L, index);
    if (!looking)
        return real;
    switch (place) {
    case NOWHERE:
        return NULL;
    case IN_NO_PAGE:
        return (const void *)(uintptr_t)8;
    case IN_OTHER_MEMORY:
        return &other;
    case BEHIND_IT:
        return (const char *)real + 16;
    default:
        return real;
    }
}

static int keeps_layout = 1;

int __wrap_nodes_check_order(struct heap *heap, struct error *error)
{
    (void)heap;
    return keeps_layout ? 0 : error_set(error, ERROR_INVALID, "its tables are of another make");
}

static void hear(void *context, const char *text)
{
    (void)context;
    size_t used = strlen(said);
    snprintf(said + used, sizeof said - used, "%s\n", text);
}

static int count_of(const char *text)
{
    int count = 0;
    for (const char *at = said; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* With an option, or NULL. */
static int run_script(enum place where, const char *name, const char *value)
{
    ckptlua *host = ckptlua_new();
    place = where;
    *said = '\0';
    ckptlua_on_message(host, hear, NULL);
    if (name != NULL)
        assert_int_equal(ckptlua_set(host, name, value), CKPTLUA_OK);
    int code = ckptlua_run(host, "job.lua", 0, NULL);
    ckptlua_free(host);
    return code;
}

static void write_text(const char *text)
{
    FILE *file = fopen("job.lua", "w");
    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void write_script(void)
{
    write_text("for i = 1, 3 do if i == 2 then ckpt.exit() end end\n");
}

static void test_looks_at_nothing_else(void **state)
{
    (void)state;
    struct vm vm;
    struct error error;
    for (place = NOWHERE; place <= BEHIND_IT; place++)
        assert_int_equal(__wrap_vm_check(&vm, &error), ERROR_INVALID);
    place = AS_IT_IS;
    assert_int_equal(__wrap_vm_check(&vm, &error), 0);
}

/* What was saved with exact resume is left alone. */
static void test_refuses_what_is_exact(void **state)
{
    (void)state;
    struct stat before, after;
    write_script();
    assert_int_equal(run_script(AS_IT_IS, NULL, NULL), CKPTLUA_AGAIN);
    assert_int_equal(stat("job.ckpt", &before), 0);
    assert_int_equal(run_script(IN_NO_PAGE, NULL, NULL), CKPTLUA_UNUSABLE);
    assert_non_null(strstr(said, "job.ckpt was saved with exact resume, and exact resume is not "
                                 "possible here: this Lua differs from those known in the "
                                 "structure of tables"));
    assert_non_null(strstr(said, "--fresh"));
    assert_int_equal(run_script(IN_NO_PAGE, "resume", "globals"), CKPTLUA_UNUSABLE);
    assert_int_equal(stat("job.ckpt", &after), 0);
    assert_int_equal(before.st_ino, after.st_ino);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(run_script(AS_IT_IS, NULL, NULL), CKPTLUA_OK);
}

static void test_keeps_globals(void **state)
{
    (void)state;
    write_script();
    assert_int_equal(run_script(IN_NO_PAGE, "resume", "exact"), CKPTLUA_USAGE);
    assert_non_null(strstr(said, "exact resume is not possible here: "));
    assert_non_null(strstr(said, "use --resume globals"));
    assert_int_equal(access("job.ckpt", F_OK), -1);
    assert_int_equal(run_script(IN_NO_PAGE, NULL, NULL), CKPTLUA_AGAIN);
    assert_int_equal(count_of("using --resume globals, which keeps global variables only"), 1);
    assert_int_equal(run_script(IN_NO_PAGE, NULL, NULL), CKPTLUA_AGAIN);
    assert_int_equal(count_of("not possible"), 0);
    assert_int_equal(run_script(IN_NO_PAGE, "resume", "globals"), CKPTLUA_AGAIN);
    assert_int_equal(count_of("not possible"), 0);
}

/* Tables have the order that they had at the save, and it is said that this is all. */
static void test_keeps_order_without_layout(void **state)
{
    (void)state;
    write_text("local t = {}\n"
               "for i = 1, 40 do t['key' .. i] = i end\n"
               "for i = 1, 40, 3 do t['key' .. i] = nil end\n"
               "local function keys()\n"
               "  local list = {}\n"
               "  for k in pairs(t) do list[#list + 1] = k end\n"
               "  return table.concat(list, ' ')\n"
               "end\n"
               "local before = keys()\n"
               "for _ = 1, 2 do\n"
               "  ckpt.exit()\n"
               "  assert(keys() == before)\n"
               "end\n");
    assert_int_equal(run_script(AS_IT_IS, "verbose", NULL), CKPTLUA_AGAIN);
    assert_int_equal(count_of("kept exactly: calls, hash seed, layout of tables"), 1);
    assert_int_equal(count_of("another order"), 0);
    keeps_layout = 0;
    assert_int_equal(run_script(AS_IT_IS, NULL, NULL), CKPTLUA_AGAIN);
    assert_int_equal(count_of("may get another order of keys than without it: its tables are of"),
                     1);
    keeps_layout = 1; /* but what was not kept once is not made good */
    assert_int_equal(run_script(AS_IT_IS, "verbose", NULL), CKPTLUA_OK);
    assert_int_equal(count_of("another order"), 0);
    assert_int_equal(count_of("not kept: layout of tables"), 1);
}

/* ---------------------------------------------------------------- addresses */

static void write_sets(void)
{
    write_text("collectgarbage('stop')\n"
               "local set, list, out = {}, {}, {}\n"
               "for round = 1, 6 do\n"
               "  for i = 1, 30 do\n"
               "    list[#list + 1] = {i}\n"
               "    set[list[#list]] = #list\n"
               "  end\n"
               "  for i = round, #list, 4 do set[list[i]] = nil end\n"
               "  local order = {}\n"
               "  for _, i in pairs(set) do order[#order + 1] = i end\n"
               "  out[round] = table.concat(order, ' ')\n"
               "  if os.getenv('PIECES') then ckpt.exit() end\n"
               "end\n"
               "local file <close> = io.open(os.getenv('PIECES') or 'whole', 'w')\n"
               "file:write(table.concat(out, '\\n'), '\\n')\n");
}

static void open_more(void *context, lua_State *L)
{
    (void)context;
    for (int i = 0; i < 3; i++) {
        lua_newtable(L);
        lua_setglobal(L, i == 0 ? "one" : i == 1 ? "two" : "three");
    }
}

static int run_sets(int is_more)
{
    ckptlua *host = ckptlua_new();
    place = AS_IT_IS;
    *said = '\0';
    ckptlua_on_message(host, hear, NULL);
    if (is_more)
        ckptlua_on_open(host, open_more, NULL);
    assert_int_equal(ckptlua_set(host, "seed", "7"), CKPTLUA_OK);
    assert_int_equal(ckptlua_set(host, "verbose", NULL), CKPTLUA_OK);
    int code = ckptlua_run(host, "job.lua", 0, NULL);
    ckptlua_free(host);
    return code;
}

static void read_lines(const char *name, char *text, size_t size)
{
    FILE *file = fopen(name, "r");
    assert_non_null(file);
    size_t got = fread(text, 1, size - 1, file);
    text[got] = '\0';
    fclose(file);
}

static int has_zone(void)
{
    struct heap heap = {0};
    lua_State *L = heap_new_state(&heap, 1);
    int has = L != NULL && heap.zone.where != ZONE_NOWHERE;
    if (L != NULL)
        lua_close(L);
    heap_close(&heap);
    return has;
}

/* The same in each of six processes, of which every second one has its memory elsewhere. */
static void test_keeps_order_by_addresses(void **state)
{
    (void)state;
    static char whole[20000], pieces[20000];
    void *base = (void *)0x6d0000000000; /* NOLINT(performance-no-int-to-ptr): of the zone */
    int code = CKPTLUA_AGAIN, runs = 0;
    if (!has_zone())
        skip();
    write_sets();
    unsetenv("PIECES");
    assert_int_equal(run_sets(0), CKPTLUA_OK);
    setenv("PIECES", "pieces", 1);
    for (; code == CKPTLUA_AGAIN; runs++) {
        void *taken = runs % 2 == 0
                          ? MAP_FAILED
                          : mmap(base, 4096, PROT_NONE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
        code = run_sets(0);
        assert_int_equal(count_of("memory lies elsewhere than usual"), runs % 2);
        assert_int_equal(count_of("have other addresses"), 0);
        if (taken != MAP_FAILED)
            munmap(taken, 4096);
    }
    unsetenv("PIECES");
    assert_int_equal(code, CKPTLUA_OK);
    assert_int_equal(runs, 7);
    read_lines("whole", whole, sizeof whole);
    read_lines("pieces", pieces, sizeof pieces);
    assert_string_equal(whole, pieces);
}

/* A host that has more in its base environment: nothing has its address then, and it is told. */
static void test_tells_other_addresses(void **state)
{
    (void)state;
    if (!has_zone())
        skip();
    write_text("local set, list = {}, {}\n"
               "local function order()\n"
               "  local out = {}\n"
               "  for _, i in pairs(set) do out[#out + 1] = i end\n"
               "  return table.concat(out, ' ')\n"
               "end\n"
               "for i = 1, 50 do list[i] = {i} set[list[i]] = i end\n"
               "for i = 1, 50, 3 do set[list[i]] = nil end\n"
               "set[print], set[string], set[coroutine.running()] = 51, 52, 53\n"
               "local before = order()\n"
               "for _ = 1, 4 do\n"
               "  ckpt.exit()\n"
               "  assert(order() == before)\n"
               "end\n");
    assert_int_equal(run_sets(0), CKPTLUA_AGAIN);
    assert_int_equal(run_sets(1), CKPTLUA_AGAIN);
    assert_int_equal(count_of("objects have other addresses than those of job.ckpt"), 1);
    assert_int_equal(count_of("not kept: layout of tables, addresses"), 1);
    assert_int_equal(run_sets(1), CKPTLUA_AGAIN);
    assert_int_equal(count_of("objects have other addresses"), 0);
    assert_int_equal(run_sets(0), CKPTLUA_AGAIN);
    assert_int_equal(run_sets(0), CKPTLUA_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks_at_nothing_else),
        cmocka_unit_test_setup_teardown(test_refuses_what_is_exact, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_keeps_order_without_layout, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_keeps_globals, scratch_setup, scratch_teardown),
        cmocka_unit_test_setup_teardown(test_keeps_order_by_addresses, scratch_setup,
                                        scratch_teardown),
        cmocka_unit_test_setup_teardown(test_tells_other_addresses, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
