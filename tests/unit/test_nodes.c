/* exact: tables that are looked at from inside are saved as those that are walked by Lua's API. */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "exact/nodes.h"
#include "value_support.h"

enum { ROUNDS = 400 };

/* table(seed) -> tables of all kinds, with a history: array parts with holes, keys of an array in
 * the hash part, removed keys, runs of numbers of both kinds. */
static const char maker[] =
    "local function value(kind)\n"
    "  if kind == 1 then return math.random(-3, 300) end\n"
    "  if kind == 2 then return math.random() end\n"
    "  if kind == 3 then return 'text ' .. math.random(50) end\n"
    "  if kind == 4 then return math.random(2) == 1 end\n"
    "  if kind == 5 then return math.random(math.mininteger, math.maxinteger) end\n"
    "  return { math.random(9), x = math.random() }\n"
    "end\n"
    "local function make(depth)\n"
    "  local t = {}\n"
    "  for _ = 1, math.random(0, 4) do\n"
    "    local what, kind = math.random(7), math.random(6)\n"
    "    local first = math.random(0, 20)\n"
    "    for i = first, first + math.random(0, 300) do\n"
    "      if what == 1 then t[#t + 1] = value(kind)\n"
    "      elseif what == 2 then t[i] = value(kind)\n"
    "      elseif what == 3 then t[i] = nil\n"
    "      elseif what == 4 then t['key' .. i] = value(kind)\n"
    "      elseif what == 5 then t[i * 7 % 1000] = value(math.random(6))\n"
    "      elseif what == 6 then t[i / 3] = value(kind)\n"
    "      elseif next(t) ~= nil then t[next(t)] = nil end\n"
    "    end\n"
    "  end\n"
    "  if math.random(8) == 1 then t[{}], t[print] = 1, t end\n"
    "  if math.random(8) == 1 then t[math.huge] = -1 / 0 end\n"
    "  if depth > 0 then t.inner = make(depth - 1) t[1] = make(depth - 1) end\n"
    "  if math.random(4) == 1 then setmetatable(t, { name = 'of it' }) end\n"
    "  return t\n"
    "end\n"
    "function table_of(seed) math.randomseed(seed) return { v = make(2) } end\n";

/* Of an encoder that looks inside. */
static struct encode_options looking_inside(void)
{
    struct encode_options options = value_options;
    options.inside = &nodes_writer;
    return options;
}

static void save_by(lua_State *L, const struct encode_options *options, struct bytes *bytes)
{
    if (!value_encode_by(L, options, 1, bytes))
        fail_msg("%s", lua_tostring(L, -1));
}

static void both_ways_write_the_same(void **state)
{
    (void)state;
    struct encode_options inside = looking_inside();
    lua_State *L = value_open(NULL);
    value_run(L, maker);
    uint64_t seed = value_seed(), random = seed;
    for (int round = 0; round < ROUNDS; round++) {
        struct bytes api = {0}, own = {0};
        lua_getglobal(L, "table_of");
        lua_pushinteger(L, (lua_Integer)value_random(&random));
        lua_call(L, 1, 1);
        save_by(L, &value_options, &api);
        save_by(L, &inside, &own);
        assert_int_equal(api.size, own.size);
        if (memcmp(api.data, own.data, own.size) != 0)
            fail_msg("seed %" PRIu64 ", round %d", seed, round);
        bytes_free(&api);
        bytes_free(&own);
        lua_pop(L, 1);
    }
    lua_close(L);
}

/* A save function that changes the table in which its object is. */
static void a_table_that_changes_is_told(void **state)
{
    (void)state;
    static const char *const changes[] = {"t.x = nil", "t[2] = nil", "t[#t + 1] = 1",
                                          "t.y = 1 t.z = 1 t.w = 1"};
    struct encode_options inside = looking_inside();
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        struct bytes bytes = {0};
        lua_State *L = value_open(NULL);
        lua_pushfstring(L,
                        "local class = {}\n"
                        "t = { setmetatable({}, class), 2, 3, x = 4 }\n"
                        "register('class', class, function() %s return 1 end, print)\n",
                        changes[i]);
        value_run(L, lua_tostring(L, -1));
        lua_newtable(L);
        lua_getglobal(L, "t");
        lua_setfield(L, -2, "t");
        assert_int_equal(value_encode_by(L, &inside, 1, &bytes), 0);
        assert_non_null(strstr(lua_tostring(L, -1), "changed while it was being saved"));
        bytes_free(&bytes);
        lua_close(L);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_ways_write_the_same),
        cmocka_unit_test(a_table_that_changes_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
