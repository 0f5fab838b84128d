/* value: graphs of tables made at random come back alike, and golden bytes stay readable. */
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

/* Makes a graph out of a seed. With `ordered` every table is a sequence, so that the bytes depend
 * on nothing but the graph. */
static const char generator[] =
    "local seed, ordered = ...\n"
    "local state = seed\n"
    "local function random(n)\n"
    "    state = state * 6364136223846793005 + 1442695040888963407\n"
    "    return (state >> 33) % n\n"
    "end\n"
    "local nodes, strings = {}, {}\n"
    "for i = 1, 1 + random(60) do nodes[i] = ordered and {} or {id = i} end\n"
    "for i = 1, 12 do\n"
    "    local bytes = {}\n"
    "    for j = 1, random(i * 4) do bytes[j] = string.char(random(i % 3 == 0 and 256 or 128)) "
    "end\n"
    "    strings[i] = table.concat(bytes)\n"
    "end\n"
    "local function float()\n"
    "    local kind = random(6)\n"
    "    if kind == 0 then return random(100) + 0.0 end\n"
    "    if kind == 1 then return -0.0 end\n"
    "    if kind == 2 then return 1 / 0 end\n"
    "    return (string.unpack('n', string.pack('I4I4', random(1 << 31), random(1 << 31))))\n"
    "end\n"
    "local function integer()\n"
    "    return (random(1 << 31) << 32 | random(1 << 31)) >> random(64) * (random(2) * 2 - 1)\n"
    "end\n"
    "local boxes = {box('one'), box('two'), box('')}\n"
    "local function value()\n"
    "    local kind = random(ordered and 9 or 10)\n"
    "    if kind < 4 then return nodes[1 + random(#nodes)] end\n"
    "    if kind == 4 then return strings[1 + random(#strings)] end\n"
    "    if kind == 5 then return integer() end\n"
    "    if kind == 6 then return float() end\n"
    "    if kind == 7 then return random(2) == 0 end\n"
    "    if kind == 8 then return boxes[1 + random(#boxes)] end\n"
    "    return nil\n"
    "end\n"
    "for _, node in ipairs(nodes) do\n"
    "    for i = 1, random(8) do node[i] = value() end\n"
    "    for i = 1, ordered and 0 or random(8) do\n"
    "        local key = value()\n"
    "        if key ~= nil and key == key and type(key) ~= 'userdata' and key ~= 'id' then\n"
    "            node[key] = value()\n"
    "        end\n"
    "    end\n"
    "    if random(4) == 0 then setmetatable(node, nodes[1 + random(#nodes)]) end\n"
    "end\n"
    "graph = nodes[1]\n"
    "all = ordered and 1 or nodes\n";

static void generate(lua_State *L, uint64_t seed, int ordered)
{
    assert_int_equal(luaL_loadbuffer(L, generator, strlen(generator), "=generator"), LUA_OK);
    lua_pushinteger(L, (lua_Integer)seed);
    lua_pushboolean(L, ordered);
    if (lua_pcall(L, 2, 0, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
}

static void push_shape(lua_State *L, const char *global)
{
    lua_getglobal(L, "shape");
    lua_getglobal(L, global);
    if (lua_pcall(L, 1, 1, 0) != LUA_OK)
        fail_msg("%s", lua_tostring(L, -1));
}

/* The same text on top of both stacks; pops it. */
static void assert_same_text(lua_State *a, lua_State *b, uint64_t seed)
{
    size_t size_a, size_b;
    const char *text_a = lua_tolstring(a, -1, &size_a), *text_b = lua_tolstring(b, -1, &size_b);
    if (size_a != size_b || memcmp(text_a, text_b, size_a) != 0)
        fail_msg("graph %llu differs:\n%s\n%s", (unsigned long long)seed, text_a, text_b);
    lua_pop(a, 1);
    lua_pop(b, 1);
}

/* Both states' `graph` gives the same bytes. */
static void assert_same_bytes(lua_State *a, lua_State *b, uint64_t seed)
{
    struct bytes bodies[2] = {0};
    lua_State *states[] = {a, b};
    for (int i = 0; i < 2; i++) {
        lua_createtable(states[i], 1, 0);
        lua_getglobal(states[i], "graph");
        lua_rawseti(states[i], -2, 1);
        assert_true(value_encode(states[i], 1, &bodies[i]));
        lua_pop(states[i], 1);
    }
    if (bodies[0].size != bodies[1].size ||
        memcmp(bodies[0].data, bodies[1].data, bodies[0].size) != 0)
        fail_msg("graph %llu has other bytes", (unsigned long long)seed);
    bytes_free(&bodies[0]);
    bytes_free(&bodies[1]);
}

static void way(uint64_t seed, int ordered)
{
    struct bytes body = {0}, again = {0};
    lua_State *a = value_open_harmless(NULL), *b = value_open_harmless(NULL);
    generate(a, seed, ordered);
    if (!value_encode(a, 0, &body))
        fail_msg("graph %llu: %s", (unsigned long long)seed, lua_tostring(a, -1));
    if (!value_decode(b, 0, body.data, body.size))
        fail_msg("graph %llu: %s", (unsigned long long)seed, lua_tostring(b, -1));
    lua_gc(b, LUA_GCCOLLECT);
    push_shape(a, "graph");
    push_shape(b, "graph");
    assert_same_text(a, b, seed);
    push_shape(a, "all");
    push_shape(b, "all");
    assert_same_text(a, b, seed);
    assert_true(value_encode(b, 0, &again));
    if (ordered)
        assert_same_bytes(a, b, seed);
    lua_close(a);
    lua_close(b);
    bytes_free(&body);
    bytes_free(&again);
}

static void graphs(void **state)
{
    (void)state;
    uint64_t seed = value_seed();
    const char *rounds = getenv("CKPTLUA_TEST_ROUNDS");
    long count = rounds == NULL ? 500 : atol(rounds);
    for (long i = 0; i < count; i++) {
        way(value_random(&seed), 0);
        way(value_random(&seed), 1);
    }
}

/* The walk that compares sees what it is to see. */
static void differences(void **state)
{
    static const char *const pairs[][2] = {
        {"g = {{}, {}}", "local t = {}; g = {t, t}"},
        {"g = {1}", "g = {1.0}"},
        {"g = {0.0}", "g = {-0.0}"},
        {"g = {'1'}", "g = {1}"},
        {"g = {}; g[1] = g", "g = {{}}; g[1][1] = g[1]"},
        {"g = {}", "g = setmetatable({}, {})"},
        {"g = {nil, 2}", "g = {2}"},
        {"g = {[true] = 1}", "g = {[false] = 1}"},
        {"local k = {id = 1}; g = {[k] = k}", "g = {[{id = 1}] = {id = 1}}"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
        lua_State *L = value_open_harmless(NULL);
        value_run(L, pairs[i][0]);
        push_shape(L, "g");
        value_run(L, pairs[i][1]);
        push_shape(L, "g");
        assert_false(lua_rawequal(L, -1, -2));
        lua_close(L);
    }
}

/* ---------------------------------------------------------------- golden bytes */

/* One of each; tables have at most one key besides their sequence, so that the order is fixed. */
static const char golden_script[] = "local Class, Object, module = {}, {}, {}\n"
                                    "Class.__index = Class\n"
                                    "register('Class', Class)\n"
                                    "register('Object', Object, function(o) return {o.x} end,\n"
                                    "    function(d) return setmetatable({x = d[1]}, Object) end)\n"
                                    "transient('Input', {'input'})\n"
                                    "transient_value = Input\n"
                                    "Input = nil\n"
                                    "package.loaded.module = module\n"
                                    "function module.run() return 'run' end\n"
                                    "function f() return 'f' end\n"
                                    "class, object_class = Class, Object\n";

static const char golden_work[] =
    "local C, O, T = class, object_class, transient_value\n"
    "class, object_class, transient_value = nil\n"
    "local weak = setmetatable({}, {__mode = 'k'})\n"
    "local cycle = {}; cycle[1] = cycle\n"
    "local object = setmetatable({x = 1.5}, O)\n"
    "local contents = box('contents of the box')\n"
    "all = {\n"
    "    {0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 32, math.maxinteger},\n"
    "    {-1, -32, -33, -128, -129, -32768, -32769, -1 << 31, (-1 << 31) - 1, math.mininteger},\n"
    "    {0.0, -0.0, 1.0, 0.1, 1 / 0, -1 / 0, 5e-324, 1.7976931348623157e308},\n"
    "    {true, false},\n"
    "    {'', 'short', 'shared', 'shared', ('x'):rep(31), ('y'):rep(32), ('z'):rep(256),\n"
    "        'caf\\xC3\\xA9', '\\xFF\\0', ('\\xFE'):rep(300)},\n"
    "    {[1.5] = 'float'}, {[false] = 'boolean'}, {[{}] = 'table'}, {[-1] = 'integer'},\n"
    "    {1, nil, 3}, cycle, {cycle, cycle}, weak, {math.sin, math.sin, io.stdout, string, _G},\n"
    "    {f, package.loaded.module, package.loaded.module.run, T, T},\n"
    "    setmetatable({1}, C), object, {object}, contents, {contents},\n"
    "    {(ipairs({})), next, (utf8.codes(''))}, {(utf8.codes('', true))},\n"
    "    {getmetatable(''), getmetatable(io.stdout), getmetatable(io.stdout).__index},\n"
    "}\n"
    "math.golden = {1.618}\n";

static const char golden_check[] =
    "local module = package.loaded.module\n"
    "assert(#all == 23)\n"
    "local i = {0, 1, 127, 128, 255, 256, 65535, 65536, 1 << 32, math.maxinteger}\n"
    "for k, v in ipairs(i) do assert(same(all[1][k], v)) end\n"
    "i = {-1, -32, -33, -128, -129, -32768, -32769, -1 << 31, (-1 << 31) - 1, math.mininteger}\n"
    "for k, v in ipairs(i) do assert(same(all[2][k], v)) end\n"
    "i = {0.0, -0.0, 1.0, 0.1, 1 / 0, -1 / 0, 5e-324, 1.7976931348623157e308}\n"
    "for k, v in ipairs(i) do assert(same(all[3][k], v)) end\n"
    "assert(all[4][1] == true and all[4][2] == false)\n"
    "local s = all[5]\n"
    "assert(s[1] == '' and s[2] == 'short' and s[3] == 'shared' and s[4] == 'shared')\n"
    "assert(s[5] == ('x'):rep(31) and s[6] == ('y'):rep(32) and s[7] == ('z'):rep(256))\n"
    "assert(s[8] == 'caf\\xC3\\xA9' and s[9] == '\\xFF\\0' and s[10] == ('\\xFE'):rep(300))\n"
    "assert(all[6][1.5] == 'float' and all[7][false] == 'boolean' and all[9][-1] == 'integer')\n"
    "assert(next((next(all[8]))) == nil and all[10][1] == 1 and all[10][3] == 3)\n"
    "assert(all[11][1] == all[11] and all[12][2] == all[11])\n"
    "assert(getmetatable(all[13]).__mode == 'k')\n"
    "assert(all[14][1] == math.sin and all[14][2] == math.sin and all[14][3] == io.stdout)\n"
    "assert(all[14][4] == string and all[14][5] == _G)\n"
    "assert(all[15][1] == f and all[15][2] == module and all[15][3] == module.run)\n"
    "assert(all[15][4][1] == 'input' and all[15][5] == all[15][4])\n"
    "assert(getmetatable(all[16]).__index == getmetatable(all[16]) and all[16][1] == 1)\n"
    "assert(all[17].x == 1.5 and all[18][1] == all[17])\n"
    "assert(open(all[19]) == 'contents of the box' and all[20][1] == all[19])\n"
    "assert(all[21][1] == ipairs({}) and all[21][2] == next)\n"
    "assert(all[21][3] == utf8.codes('') and all[22][1] == utf8.codes('', true))\n"
    "assert(all[23][1] == getmetatable('') and all[23][2] == getmetatable(io.stdout))\n"
    "assert(all[23][3] == getmetatable(io.stdout).__index)\n"
    "assert(math.golden[1] == 1.618)\n";

static const char *golden_path(void)
{
    static char path[4096];
    const char *slash = strrchr(__FILE__, '/');
    int length = slash == NULL ? 0 : (int)(slash - __FILE__ + 1);
    snprintf(path, sizeof path, "%.*s../golden/value-1.bin", length, __FILE__);
    return path;
}

static void read_golden(struct bytes *golden)
{
    unsigned char part[512];
    size_t size;
    FILE *file = fopen(golden_path(), "rb");
    if (file == NULL)
        fail_msg("%s cannot be opened", golden_path());
    while ((size = fread(part, 1, sizeof part, file)) > 0)
        assert_int_equal(bytes_append(golden, part, size), 0);
    fclose(file);
}

static void golden_encode(void **state)
{
    (void)state;
    struct bytes body = {0}, golden = {0};
    lua_State *L = value_open(NULL);
    value_run(L, golden_script);
    value_run(L, golden_work);
    if (!value_encode(L, 0, &body))
        fail_msg("%s", lua_tostring(L, -1));
    if (getenv("CKPTLUA_TEST_MAKE_GOLDEN") != NULL) {
        FILE *file = fopen(golden_path(), "wb");
        assert_non_null(file);
        assert_int_equal(fwrite(body.data, 1, body.size, file), body.size);
        fclose(file);
    }
    read_golden(&golden);
    assert_int_equal(body.size, golden.size);
    assert_memory_equal(body.data, golden.data, body.size);
    lua_close(L);
    bytes_free(&body);
    bytes_free(&golden);
}

static void golden_decode(void **state)
{
    (void)state;
    struct bytes golden = {0};
    lua_State *L = value_open(NULL);
    read_golden(&golden);
    if (!value_decode(L, 0, golden.data, golden.size))
        fail_msg("%s", lua_tostring(L, -1));
    value_run(L, golden_script);
    value_run(L, "sweep()");
    value_run(L, golden_check);
    lua_close(L);
    bytes_free(&golden);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(differences), cmocka_unit_test(graphs),
                                       cmocka_unit_test(golden_encode),
                                       cmocka_unit_test(golden_decode)};
    return cmocka_run_group_tests_name("graphs", tests, NULL, NULL);
}
