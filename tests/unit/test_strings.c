/* strings: those that something refers to stay, whatever it is; all others go; tables do not
 * notice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <lualib.h>

#include "exact/strings.h"

static int lua_sweep(lua_State *L)
{
    lua_pushboolean(L, strings_sweep(L));
    return 1;
}

/* (value) -> a userdata that refers to it */
static int lua_box(lua_State *L)
{
    lua_newuserdatauv(L, 3, 2);
    lua_pushvalue(L, 1);
    lua_setiuservalue(L, -2, 2);
    return 1;
}

static int lua_unbox(lua_State *L)
{
    lua_getiuservalue(L, 1, 2);
    return 1;
}

/* No collector but the one that a script calls. */
static lua_State *open(void)
{
    lua_State *L = luaL_newstate();
    assert_non_null(L);
    lua_gc(L, LUA_GCSTOP);
    luaL_openlibs(L);
    lua_register(L, "sweep", lua_sweep);
    lua_register(L, "box", lua_box);
    lua_register(L, "unbox", lua_unbox);
    return L;
}

static void run(const char *script)
{
    lua_State *L = open();
    if (luaL_dostring(L, script) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
    lua_close(L);
}

static void held(void **state)
{
    (void)state;
    run("local function text(n) return 'text ' .. n .. '/' .. n * 7 end\n"
        "local function waste() local t for i = 1, 2000 do t = 'waste' .. i * 3 end end\n"
        "local t, weak = { text(1), x = text(2) }, setmetatable({}, { __mode = 'kv' })\n"
        "t[text(3)] = true\n"
        "weak[text(4)] = text(5)\n"
        "local closed do local n = text(6) closed = function() return n end end\n"
        "local open = text(7)\n"
        "local opened = function() return open end\n"
        "local iterate = string.gmatch(text(8), '%d+')\n"
        "local boxed = box(text(9))\n"
        "local f = load('local ' .. 'name' .. 10 .. ' = [[' .. text(10) .. ']] return ' .. 'name' "
        ".. 10)\n"
        "local co = coroutine.create(function(a) local b = text(11) coroutine.yield(b) return a .. "
        "b end)\n"
        "coroutine.resume(co, text(12))\n"
        "local later = coroutine.create(function(a) return a end)\n"
        "local failed = coroutine.create(function() local a = text(13) error(text(14), 0) end)\n"
        "local _, message = coroutine.resume(failed)\n"
        "local final = setmetatable({ text(15) }, { __gc = function() end })\n"
        "local function deep(n) local own = text(100 + n)\n"
        "  if n == 0 then assert(sweep()) waste() else deep(n - 1) end\n"
        "  assert(own == text(100 + n)) end\n"
        "for round = 1, 20 do\n"
        "  waste() deep(30)\n"
        "  assert(t[1] == text(1) and t.x == text(2) and t[text(3)])\n"
        "  assert(weak[text(4)] == text(5))\n"
        "  assert(closed() == text(6) and opened() == text(7))\n"
        "  assert(unbox(boxed) == text(9) and f() == text(10))\n"
        "  assert(debug.getlocal(co, 1, 2) == 'b' and select(2, debug.getlocal(co, 1, 2)) == "
        "text(11))\n"
        "  assert(message == text(14) and final[1] == text(15))\n"
        "  if round % 5 == 0 then collectgarbage() end\n"
        "end\n"
        "assert(iterate() == '8' and iterate() == '56')\n"
        "assert(select(2, coroutine.resume(co)) == text(12) .. text(11))\n"
        "assert(select(2, coroutine.resume(later, text(16))) == text(16))\n");
}

static void freed(void **state)
{
    (void)state;
    run("local before = collectgarbage('count')\n"
        "for round = 1, 5 do\n"
        "  for i = 1, 50000 do local t = 'garbage' .. i .. round end\n"
        "  assert(collectgarbage('count') - before > 2500)\n"
        "  assert(sweep())\n"
        "  assert(collectgarbage('count') - before < 1500)\n" /* the table of strings is larger */
        "end\n"
        "local long = ('x'):rep(100000)\n"
        "long = nil\n"
        "assert(sweep() and collectgarbage('count') - before < 1600)\n");
}

/* Two tables with the same history, in one of which the sweeps come in between, keep the order. */
static void order(void **state)
{
    (void)state;
    run("local function history(sweeps)\n"
        "  local t, seed, log = {}, 7, {}\n"
        "  for i = 1, 5000 do\n"
        "    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF\n"
        "    t['key' .. (seed >> 8) % 60] = (seed >> 16) % 3 > 0 and i or nil\n"
        "    if sweeps and i % 13 == 0 then sweep() end\n"
        "    if i % 50 == 0 then for k in pairs(t) do log[#log + 1] = k end end\n"
        "  end\n"
        "  return table.concat(log, ' ')\n"
        "end\n"
        "assert(history(false) == history(true))\n");
}

/* The generational collector always has something under way. */
static void not_now(void **state)
{
    (void)state;
    run("collectgarbage('generational') assert(not sweep())\n"
        "collectgarbage('incremental') collectgarbage() assert(sweep())\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(held), cmocka_unit_test(freed),
                                       cmocka_unit_test(order), cmocka_unit_test(not_now)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
