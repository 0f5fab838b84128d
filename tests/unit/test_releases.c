/* exact: a snapshot is continued only by a Lua that compiles what is on the stack of calls to the
 * same instructions. Another release is played by another number for the function's code. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "ckptlua.h"
#include "exact/analysis.h"
#include "scratch.h"

uint32_t __real_analysis_print(lua_State *L, struct code *code, const struct vm_prototype *p);
uint32_t __wrap_analysis_print(lua_State *L, struct code *code, const struct vm_prototype *p);

static uint32_t other; /* release: 0 is this one */
static char said[1000];

uint32_t __wrap_analysis_print(lua_State *L, struct code *code, const struct vm_prototype *p)
{
    return __real_analysis_print(L, code, p) ^ other;
}

static void hear(void *context, const char *text)
{
    (void)context;
    snprintf(said, sizeof said, "%s", text);
}

static int run_script(void)
{
    ckptlua *host = ckptlua_new();
    ckptlua_on_message(host, hear, NULL);
    ckptlua_set(host, "resume", "exact");
    ckptlua_set(host, "quiet", NULL);
    int code = ckptlua_run(host, "job.lua", 0, NULL);
    ckptlua_free(host);
    return code;
}

static void test_refuses_other_instructions(void **state)
{
    (void)state;
    FILE *file = fopen("job.lua", "w");
    assert_non_null(file);
    fputs("local function f()\n  for i = 1, 2 do ckpt.exit() end\nend\nf()\n", file);
    fclose(file);
    other = 0;
    assert_int_equal(run_script(), CKPTLUA_AGAIN);
    other = 1;
    assert_int_equal(run_script(), CKPTLUA_UNUSABLE);
    assert_non_null(strstr(said, "has other instructions in this Lua"));
    assert_non_null(strstr(said, "--resume globals"));
    other = 0;
    assert_int_equal(run_script(), CKPTLUA_AGAIN);
    assert_int_equal(run_script(), CKPTLUA_OK);
}

/* Of the main function of a text, in a state of its own. */
static uint32_t print_of(const char *text)
{
    lua_State *L = luaL_newstate();
    struct code code = {0};
    code_open(L, &code);
    assert_int_equal(luaL_loadstring(L, text), LUA_OK);
    const struct code_chunk *chunk = code_add(L, &code, "=text", text, strlen(text));
    uint32_t print = __real_analysis_print(L, &code, chunk->prototypes[0]);
    code_close(&code);
    lua_close(L);
    return print;
}

static void test_tells_instructions(void **state)
{
    (void)state;
    assert_int_equal(print_of("local a = ... return a + 1"), print_of("local b = ... return b+1"));
    assert_int_not_equal(print_of("return ..."), print_of("return (...)"));
    assert_int_not_equal(print_of("local a = 'x'"), print_of("local a = 1.5"));
    assert_int_not_equal(print_of("local a = 1"), print_of("local a = 2"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_tells_instructions),
        cmocka_unit_test_setup_teardown(test_refuses_other_instructions, scratch_setup,
                                        scratch_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
