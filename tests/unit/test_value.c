/* value: what a state's globals are after a way through a snapshot. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>
#include <msgpack.h>

#include "value_support.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* msgpack-c parses each object of the body. */
static void parse_all(const struct bytes *body)
{
    msgpack_unpacked object;
    size_t at = 0;
    msgpack_unpacked_init(&object);
    while (at < body->size) {
        msgpack_unpack_return result =
            msgpack_unpack_next(&object, (const char *)body->data, body->size, &at);
        if (result != MSGPACK_UNPACK_SUCCESS)
            fail_msg("msgpack-c gives up at byte %zu: %d", at, (int)result);
    }
    msgpack_unpacked_destroy(&object);
}

static void dump(const char *name, const struct bytes *body)
{
    const char *folder = getenv("CKPTLUA_TEST_DUMP");
    if (folder == NULL)
        return;
    char path[512];
    snprintf(path, sizeof path, "%s/%s.msgpack", folder, name);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fwrite(body->data, 1, body->size, file);
    fclose(file);
}

static void encode(lua_State *L, struct bytes *body)
{
    if (!value_encode(L, 0, body))
        fail_msg("encode: %s", lua_tostring(L, -1));
}

static void decode(lua_State *L, const struct bytes *body)
{
    if (!value_decode(L, 0, body->data, body->size))
        fail_msg("decode: %s", lua_tostring(L, -1));
}

/* ---------------------------------------------------------------- cases */

/* `set` runs in the first state, `check` in it and in the second one, which has the globals of the
 * first by then. */
struct round_trip {
    const char *name, *set, *check;
};

static const struct round_trip round_trips[] = {
    {"integers",
     "list = {}\n"
     "for bits = 0, 63 do\n"
     "    for off = -2, 2 do\n"
     "        list[#list + 1] = (1 << bits) + off\n"
     "        list[#list + 1] = -(1 << bits) + off\n"
     "    end\n"
     "end\n"
     "for _, v in ipairs{31, 32, 33, 127, 128, 255, 256, 65535, 65536} do\n"
     "    list[#list + 1] = v; list[#list + 1] = -v\n"
     "end\n"
     "text = {}\n"
     "for i, v in ipairs(list) do text[i] = tostring(v) end\n"
     "least, most, a = math.mininteger, math.maxinteger, 0\n",
     "assert(#list == 64 * 10 + 18)\n"
     "for i, v in ipairs(list) do\n"
     "    assert(math.type(v) == 'integer' and tostring(v) == text[i], i)\n"
     "end\n"
     "assert(least == math.mininteger and most == math.maxinteger and a == 0)\n"},
    {"floats",
     "bits = {}\n"
     "for _, v in ipairs{0x0, 1, 0xfffffffffffff, 0x10000000000000, 0x3ff0000000000000,\n"
     "        0x7fefffffffffffff, 0x7ff0000000000000, 0x7ff0000000000001, 0x7ff8000000000000,\n"
     "        0x7ff8dead0000beef, 0x7fffffffffffffff, 0x4340000000000000, 0x43e0000000000000,\n"
     "        0x3fb999999999999a, 0x4059000000000000, 0x47efffffe0000000} do\n"
     "    bits[#bits + 1] = v; bits[#bits + 1] = v | math.mininteger\n"
     "end\n"
     "list = {}\n"
     "for i, v in ipairs(bits) do list[i] = string.unpack('n', string.pack('j', v)) end\n"
     "whole, zero, negative, infinite = 3.0, 0.0, -0.0, -1/0\n",
     "for i, v in ipairs(bits) do\n"
     "    assert(math.type(list[i]) == 'float')\n"
     "    assert(string.unpack('j', string.pack('n', list[i])) == v, i)\n"
     "end\n"
     "assert(#list == 32 and math.type(whole) == 'float' and whole == 3)\n"
     "assert(math.type(zero) == 'float' and 1 / zero == 1/0 and 1 / negative == -1/0)\n"
     "assert(infinite == -math.huge)\n"},
    {"simple", "yes, no, text, empty = true, false, 'text', {}\nlist = {false, true, false}\n",
     "assert(yes == true and no == false and text == 'text' and nothing == nil)\n"
     "assert(type(empty) == 'table' and next(empty) == nil and getmetatable(empty) == nil)\n"
     "assert(#list == 3 and list[1] == false and list[2] == true and list[3] == false)\n"},
    {"strings",
     "function byte(i) return i * 7 % 256 end\n"
     "function make(n, f)\n"
     "    local t = {}\n"
     "    for i = 1, n do t[i] = string.char(f(i, n)) end\n"
     "    return table.concat(t)\n"
     "end\n"
     "function ascii(i, n) return 33 + (i + n) % 90 end\n"
     "sizes = {1023, 1024, 65534, 65535, 65536, 65537, 131072, 200001}\n"
     "for i = 0, 300 do sizes[#sizes + 1] = i end\n"
     "binary, plain = {}, {}\n"
     "for _, n in ipairs(sizes) do binary[n] = make(n, byte); plain[n] = make(n, ascii) end\n"
     "odd = {'\\0', '\\0\\0abc\\0', '\\xff', '\\xc0\\x80', '\\xed\\xa0\\x80', "
     "'\\xf4\\x90\\x80\\x80',\n"
     "    'abcdefg\\xc3', '\\xe2\\x82', 'caf\\xc3\\xa9', '\\u{10ffff}\\u{7ff}\\u{800}', '\\x80'}\n",
     "function byte(i) return i * 7 % 256 end\n"
     "function make(n, f)\n"
     "    local t = {}\n"
     "    for i = 1, n do t[i] = string.char(f(i, n)) end\n"
     "    return table.concat(t)\n"
     "end\n"
     "function ascii(i, n) return 33 + (i + n) % 90 end\n"
     "for _, n in ipairs(sizes) do\n"
     "    assert(binary[n] == make(n, byte) and plain[n] == make(n, ascii), n)\n"
     "end\n"
     "local again = {'\\0', '\\0\\0abc\\0', '\\xff', '\\xc0\\x80', '\\xed\\xa0\\x80',\n"
     "    '\\xf4\\x90\\x80\\x80', 'abcdefg\\xc3', '\\xe2\\x82', 'caf\\xc3\\xa9',\n"
     "    '\\u{10ffff}\\u{7ff}\\u{800}', '\\x80'}\n"
     "assert(#odd == #again)\n"
     "for i, v in ipairs(again) do assert(odd[i] == v, i) end\n"},
    {"strings as keys",
     "t = {}\n"
     "for i = 0, 100 do t[('k'):rep(i)] = i; t[('\\xfe\\0'):rep(i)] = -i end\n"
     "t[''] = 'empty'\n",
     "assert(t[''] == 'empty')\n"
     "for i = 1, 100 do assert(t[('k'):rep(i)] == i and t[('\\xfe\\0'):rep(i)] == -i) end\n"},
    {"tables",
     "sequence = {1, 2.5, 'three', true, {}}\n"
     "holes = {1, nil, 3, nil, nil, 6}\n"
     "mixed = {10, 20, 30, x = 'x', [1.5] = 'float', [true] = 1, [false] = 0, [-1] = 'minus',\n"
     "    [2^53] = 'big', [math.mininteger] = 'least', [0] = 'zero', [-0.5] = 'half'}\n"
     "key = {id = 1}\n"
     "mixed[key] = 'table'; mixed[print] = 'function'; mixed[io.stdout] = io.stderr\n"
     "mixed[1/0] = 'inf'\n"
     "deep = "
     "{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{{'bottom'}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}}\n"
     "shared = {}\n"
     "twice = {shared, shared, a = shared, [shared] = 'key'}\n"
     "cycle = {}; cycle.me = cycle; cycle[cycle] = cycle\n"
     "there, back = {}, {}; there.back = back; back.there = there\n"
     "root = _G\n"
     "libraries = {_G, math, string, io, io.stdout, getmetatable(''), package.loaded, next}\n",
     "assert(#sequence == 5 and sequence[2] == 2.5 and sequence[3] == 'three' and sequence[4])\n"
     "assert(holes[1] == 1 and holes[2] == nil and holes[3] == 3 and holes[6] == 6)\n"
     "assert(#mixed == 3 and mixed.x == 'x' and mixed[1.5] == 'float' and mixed[true] == 1)\n"
     "assert(mixed[false] == 0 and mixed[-1] == 'minus' and mixed[1 << 53] == 'big')\n"
     "assert(mixed[math.mininteger] == 'least' and mixed[0] == 'zero' and mixed[-0.5] == 'half')\n"
     "assert(mixed[key] == 'table' and mixed[print] == 'function' and mixed[1/0] == 'inf')\n"
     "assert(mixed[io.stdout] == io.stderr)\n"
     "local n = 0\n"
     "for _ in pairs(mixed) do n = n + 1 end\n"
     "assert(n == 16, n)\n"
     "local depth, t = 0, deep\n"
     "while type(t) == 'table' do depth, t = depth + 1, t[1] end\n"
     "assert(depth == 40 and t == 'bottom')\n"
     "assert(twice[1] == shared and twice[2] == shared and twice.a == shared)\n"
     "assert(twice[shared] == 'key' and cycle.me == cycle and cycle[cycle] == cycle)\n"
     "assert(there.back == back and back.there == there and root == _G)\n"
     "assert(libraries[1] == _G and libraries[2] == math and libraries[3] == string)\n"
     "assert(libraries[4] == io and libraries[5] == io.stdout)\n"
     "assert(libraries[6] == getmetatable('') and libraries[7] == package.loaded)\n"
     "assert(libraries[8] == next)\n"},
    {"metatables",
     "own = {}; own.__index = own; setmetatable(own, own); own.x = 1\n"
     "a = {level = 1, base = 'a'}\n"
     "b = setmetatable({level = 2}, {__index = a})\n"
     "c = setmetatable({level = 3}, {__index = b, __len = math.abs, __name = 'c'})\n"
     "one, other = setmetatable({}, getmetatable(b)), {}\n"
     "guarded = setmetatable({}, {__metatable = 'hidden', __index = {x = 'seen'}})\n"
     "weak = {}\n"
     "for _, mode in ipairs{'k', 'v', 'kv'} do\n"
     "    weak[mode] = setmetatable({[shape] = print, keep = weak}, {__mode = mode})\n"
     "    weak[mode][{}] = 1; weak[mode][1] = {}\n"
     "end\n"
     "collected = setmetatable({}, {__gc = print, __close = print})\n"
     "text = setmetatable({}, getmetatable(''))\n",
     "assert(getmetatable(own) == own and own.x == 1 and own.__index == own and rawget(own, 'y') "
     "== nil)\n"
     "assert(c.level == 3 and c.base == 'a' and getmetatable(c).__index == b)\n"
     "assert(getmetatable(b).__index == a and getmetatable(one) == getmetatable(b))\n"
     "assert(one.level == 1 and getmetatable(other) == nil and getmetatable(c).__name == 'c')\n"
     "assert(getmetatable(guarded) == 'hidden' and guarded.x == 'seen')\n"
     "collectgarbage()\n"
     "local n = {}\n"
     "for mode, t in pairs(weak) do\n"
     "    n[mode] = 0\n"
     "    for _ in next, t do n[mode] = n[mode] + 1 end\n"
     "    assert(t[shape] == print and t.keep == weak and getmetatable(t).__mode == mode)\n"
     "end\n"
     "assert(n.k == 3 and n.v == 3 and n.kv == 2, n.k .. n.v .. n.kv)\n"
     "assert(getmetatable(collected).__gc == print and text.rep == string.rep)\n"},
    {"library data",
     "math.golden = (1 + 5 ^ 0.5) / 2\n"
     "string.cache = {a = {1, 2}}; table.alias = string.cache.a; table.twin = string.rep\n"
     "io.log = io.stdout; same_table = table.alias\n"
     "math.pi = 3\n"
     "print = math.sin\n",
     "assert(math.golden == (1 + 5 ^ 0.5) / 2 and string.cache.a == table.alias)\n"
     "assert(same_table[2] == 2 and same_table == table.alias and io.log == io.stdout)\n"
     "assert(math.pi == 3 and print == math.sin and table.twin == string.rep)\n"},
    {"iterators",
     "_, ipairs_state = ipairs({}); walk = ipairs({})\n"
     "runes = utf8.codes(''); lax = utf8.codes('', true); each = pairs({})\n",
     "assert(walk == ipairs({}) and runes == utf8.codes('') and each == next)\n"
     "assert(lax == utf8.codes('', true))\n"},
    {"userdata",
     "a = box('in the box'); b = a; t = {a, [a] = 'key', c = box('\\xff\\0')}\n"
     "long = box(('x'):rep(100000))\n",
     "assert(open(a) == 'in the box' and b == a and t[1] == a and t[a] == 'key')\n"
     "assert(open(t.c) == '\\xff\\0' and open(long) == ('x'):rep(100000))\n"},
    {"order",
     "sequence, ordered = {}, {}\n"
     "for i = 1, 100 do sequence[i] = i end\n"
     "numbers = {}\n"
     "for i = 1, 64 do numbers[i * 1000] = i end\n"
     "some = {alpha = 1, beta = 2, gamma = 3}\n"
     "order = {}\n"
     "for name, t in pairs{sequence = sequence, numbers = numbers} do\n"
     "    order[name] = {}\n"
     "    for k in pairs(t) do table.insert(order[name], k) end\n"
     "end\n",
     "for name, keys in pairs(order) do\n"
     "    local i = 0\n"
     "    for k in pairs(_G[name]) do i = i + 1; assert(keys[i] == k, name) end\n"
     "    assert(i == #keys)\n"
     "end\n"},
    {"a large map",
     "map = {}\n"
     "for i = 1, 300000 do map['key ' .. i] = i end\n",
     "local n = 0\n"
     "for k, v in pairs(map) do n = n + 1; assert(k == 'key ' .. v) end\n"
     "assert(n == 300000)\n"},
    {"a linked list", "for i = 1, 1000000 do list = {next = list, value = i} end\n",
     "local n = 1000000\n"
     "local node = list\n"
     "while node do assert(node.value == n); n = n - 1; node = node.next end\n"
     "assert(n == 0)\n"},
    {"nested deeply", "t = 0\nfor i = 1, 100000 do t = {t, meta = setmetatable({}, {i})} end\n",
     "local n, at = 0, t\n"
     "while at ~= 0 do\n"
     "    n = n + 1\n"
     "    assert(getmetatable(at.meta)[1] == 100001 - n)\n"
     "    at = at[1]\n"
     "end\n"
     "assert(n == 100000)\n"},
    {"many tables waiting",
     "rows = {}\n"
     "for i = 1, 50000 do rows[i] = {i, {i, {i}}, x = {y = {i}}} end\n",
     "for i = 1, 50000 do\n"
     "    local r = rows[i]\n"
     "    assert(r[1] == i and r[2][1] == i and r[2][2][1] == i and r.x.y[1] == i)\n"
     "end\n"},
    {"objects",
     "Account = {}; Account.__index = Account\n"
     "register('Account', Account, function(o) return {o.balance, o.peer} end,\n"
     "    function(d) return setmetatable({balance = d[1], peer = d[2]}, Account) end)\n"
     "Money = {}\n"
     "register('Money', Money, function(o) return o.cents end,\n"
     "    function(d) return setmetatable({cents = d}, Money) end)\n"
     "a = setmetatable({balance = 7}, Account); a2 = a; holder = {a, a, [a] = a}\n"
     "m = setmetatable({cents = 3}, Money); n = setmetatable({}, Money)\n"
     "a.peer = m; holder.m = m\n"
     "long = setmetatable({cents = 'a long text of cents'}, Money)\n"
     "text = 'a long text of cents'\n",
     "if getmetatable(a).__name ~= nil then\n"
     "    Account = {}; Account.__index = Account; Money = {}\n"
     "    register('Money', Money, function(o) return o.cents end,\n"
     "        function(d) return setmetatable({cents = d}, Money) end)\n"
     "    register('Account', Account, function(o) return {o.balance, o.peer} end,\n"
     "        function(d) return setmetatable({balance = d[1], peer = d[2]}, Account) end)\n"
     "end\n"
     "assert(getmetatable(a) == Account and a.balance == 7 and a2 == a and holder[1] == a)\n"
     "assert(holder[2] == a and holder[a] == a and m.cents == 3 and a.peer == m)\n"
     "assert(holder.m == m and getmetatable(n) == Money and n.cents == nil)\n"
     "assert(text == 'a long text of cents' and long.cents == text)\n"},
};

static void round_trip(void **state)
{
    const struct round_trip *trip = *state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL), *b = value_open(NULL);
    value_run(a, trip->set);
    value_run(a, trip->check);
    encode(a, &body);
    parse_all(&body);
    dump(trip->name, &body);
    decode(b, &body);
    value_run(b, "collectgarbage()");
    value_run(b, trip->check);
    lua_close(a);
    lua_close(b);
    bytes_free(&body);
}

/* The same with the collector running all the time while the bytes are read. */
static void collector(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(round_trips); i++) {
        struct bytes body = {0};
        lua_State *a = value_open(NULL), *b = value_open(NULL);
        value_run(a, round_trips[i].set);
        encode(a, &body);
        if (body.size < 2000000) {
            lua_gc(b, LUA_GCINC, 1, 1000, 1);
            decode(b, &body);
            value_run(b, round_trips[i].check);
        }
        lua_close(a);
        lua_close(b);
        bytes_free(&body);
    }
}

/* ---------------------------------------------------------------- tables of ckpt.save */

static void tables(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL), *b = value_open(NULL);
    value_run(a, "t = {x = 1, y = {2}, 10, 20}; t.y.up = t.y; math.golden = 1");
    lua_getglobal(a, "t");
    assert_true(value_encode(a, 1, &body));
    parse_all(&body);
    dump("table", &body);
    assert_true(value_decode(b, 1, body.data, body.size));
    lua_setglobal(b, "t");
    value_run(b, "assert(t.x == 1 and t.y[1] == 2 and t.y.up == t.y and t[1] == 10 and #t == 2)\n"
                 "assert(x == nil and math.golden == nil)");
    /* A job's snapshot can be looked at without touching libraries. */
    body.size = 0;
    encode(a, &body);
    assert_true(value_decode(b, 1, body.data, body.size));
    lua_setglobal(b, "all");
    value_run(b, "assert(all.t.x == 1 and math.golden == nil)");
    lua_close(a);
    lua_close(b);
    bytes_free(&body);
}

/* ---------------------------------------------------------------- size and order */

static size_t occurrences(const struct bytes *body, const char *text)
{
    size_t length = strlen(text), count = 0;
    for (size_t at = 0; at + length <= body->size; at++)
        count += memcmp(body->data + at, text, length) == 0;
    return count;
}

static void strings_once(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL);
    value_run(a, "list = {}\n"
                 "for i = 1, 100 do list[i] = {colour = 'greenish', green = 'greenish'} end\n"
                 "long = ('long'):rep(20); longer = {long, long, [long] = long}\n"
                 "functions = {math.sin, math.sin, math.sin}\n"
                 "boxes = {box('contents')}; boxes[2] = boxes[1]\n");
    encode(a, &body);
    assert_int_equal(occurrences(&body, "greenish"), 1);
    assert_int_equal(occurrences(&body, "colour"), 1);
    assert_int_equal(occurrences(&body, "longlonglonglonglonglong"), 20 - 5);
    assert_int_equal(occurrences(&body, "math.sin"), 1);
    assert_int_equal(occurrences(&body, "contents"), 1);
    lua_close(a);
    bytes_free(&body);
}

static void nothing(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL), *b = value_open(NULL);
    encode(a, &body);
    assert_int_equal(body.size, 3);
    assert_memory_equal(body.data, "\x80\x90\x90", 3);
    decode(b, &body);
    lua_close(a);
    lua_close(b);
    bytes_free(&body);
}

/* ["string", piece, piece]: as of 1 GiB, and as a reader may meet them. */
static void pieces(void **state)
{
    static const unsigned char body[] = "\x82"
                                        "\xA1"
                                        "a"
                                        "\x94\xA6string\xC4\x02xy\xC4\x00\xC4\x03z\0z"
                                        "\xA1"
                                        "b"
                                        "\xD6\x03\0\0\0\0"
                                        "\x90\x90";
    static const unsigned char boxed[] = "\x81"
                                         "\xA1"
                                         "a"
                                         "\x93\xA8userdata\xA3"
                                         "box\x93\xA6string\xC4\x02xy\xC4\x01z"
                                         "\x90\x90";
    (void)state;
    lua_State *L = value_open(NULL);
    if (!value_decode(L, 0, body, sizeof body - 1))
        fail_msg("%s", lua_tostring(L, -1));
    value_run(L, "assert(a == 'xyz\\0z' and b == a)");
    if (!value_decode(L, 0, boxed, sizeof boxed - 1))
        fail_msg("%s", lua_tostring(L, -1));
    value_run(L, "assert(open(a) == 'xyz')");
    lua_close(L);
}

/* ---------------------------------------------------------------- refusals */

static const char no_function[] =
    "the Lua function (job.lua:1) is not kept by --resume globals; define it as a global function "
    "or in a module, or ckpt.register the table it is in";
static const char no_c_function[] = "a C function without a name cannot be saved; set it to nil "
                                    "before checkpoint(), or make it with ckpt.transient";
static const char no_coroutine[] =
    "a coroutine is not kept by --resume globals; set it to nil before checkpoint()";
static const char no_pointer[] = "a light userdata is a bare address and cannot be saved; set it "
                                 "to nil before checkpoint()";
static const char no_saver[] =
    "userdata (brick) has no saver; set it to nil before checkpoint(), or ckpt.register it";

static const struct refusal {
    const char *set, *path, *reason;
} refusals[] = {
    {"f = load('return function() end')()", "f", NULL},
    {"state = {conn = brick()}", "state.conn", no_saver},
    {"state = {list = {1, 2, {a = brick()}}}", "state.list[3].a", no_saver},
    {"state = {[brick()] = 1}", "state[userdata]", no_saver},
    {"state = {['a b'] = {[1.5] = {[true] = brick()}}}", "state[\"a b\"][1.5][true]", no_saver},
    {"state = setmetatable({}, {x = brick()})", "state.<metatable>.x", no_saver},
    {"state = setmetatable({}, {__index = function() end})", "state.<metatable>.__index",
     no_function},
    {"t = {callback = function() end}", "t.callback", no_function},
    {"t = {[function() end] = 1}", "t[function]", no_function},
    {"local function make(n) return function() return n end end\ncounter = make(1)", "counter",
     NULL},
    {"co = coroutine.create(print)", "co", no_coroutine},
    {"t = {{}, {co = coroutine.create(print)}}", "t[2].co", no_coroutine},
    {"t = {[coroutine.create(print)] = 1}", "t[thread]", no_coroutine},
    {"p = pointer()", "p", no_pointer},
    {"t = {}; u = {t, pointer(t)}", "u[2]", no_pointer},
    {"b = {}; a = {[pointer(b)] = b}", "a[userdata]", no_pointer},
    {"w = coroutine.wrap(print)", "w", no_c_function},
    {"t = {it = string.gmatch('', '')}", "t.it", no_c_function},
    {"math.golden = {brick()}", "math.golden[1]", no_saver},
    {"t = {}; t[t] = {[{x = brick()}] = t}", "t[table][table].x", no_saver},
    {"transient('A', {1}); t = {{[A] = 1}}", "t[1]",
     "the transient value 'A' is a key here, and cannot be saved as one"},
    {"transient('A', {1}); t = {A, {x = {[A] = 1}}}", "t[2].x",
     "the transient value 'A' is a key here, and cannot be saved as one"},
    {"b = {box('stuck')}", "b[1]", "the lid is stuck"},
    {"C = {}; register('C', C, function() error('worn out', 0) end, print)\n"
     "t = {o = setmetatable({}, C)}",
     "t.o", "the save function of class 'C' failed: worn out"},
    {"C = {}; register('C', C, function() error() end, print)\n"
     "t = {o = setmetatable({}, C)}",
     "t.o", "the save function of class 'C' failed: nil"},
    {"C = {}; register('C', C, function(o) return o end, print)\nt = {setmetatable({}, C)}", "t[1]",
     "the save function of class 'C' gave an object that has a save function itself; "
     "put it into a table"},
    {"C = {}; register('C', C, function(o) return math end, print)\nt = {setmetatable({}, C)}",
     NULL, NULL},
    {"transient('A', {}); C = {}; register('C', C, function(o) return A end, print)\n"
     "t = {setmetatable({}, C)}",
     "t[1]", NULL},
    {"function f() end; C = {}; register('C', C, function(o) return f end, print)\n"
     "t = {setmetatable({}, C)}",
     "t[1]", NULL},
    {"C = {}; register('C', C, function(o) return brick() end, print)\n"
     "t = {setmetatable({}, C)}",
     "a value", no_saver},
    {"C = {}; register('C', C, function(o) return 1 end, print)\n"
     "t = setmetatable({}, setmetatable({}, C))",
     "t.<metatable>", NULL},
};

static void refuse(void **state)
{
    (void)state;
    for (size_t i = 0; i < COUNT(refusals); i++) {
        const struct refusal *refusal = &refusals[i];
        struct bytes body = {0};
        lua_State *L = value_open(NULL);
        value_run(L, refusal->set);
        int encoded = value_encode(L, 0, &body);
        if (encoded != (refusal->path == NULL))
            fail_msg("%s: %s", refusal->set, encoded ? "encoded" : lua_tostring(L, -1));
        if (!encoded) {
            const char *message = lua_tostring(L, -1);
            size_t length = strlen(refusal->path);
            if (strncmp(message, refusal->path, length) != 0 ||
                strncmp(message + length, ": ", 2) != 0 ||
                (refusal->reason != NULL && strcmp(message + length + 2, refusal->reason) != 0))
                fail_msg("%s: %s", refusal->set, message);
            lua_pop(L, 1);
        }
        /* A refusal leaves the state as it was: once that value is gone, all is well. */
        value_run(
            L,
            "for k in pairs(_G) do if #k < 3 and k ~= '_G' or k == 'counter' or k == 'state' then "
            "_G[k] = nil end end\nmath.golden = nil");
        body.size = 0;
        encode(L, &body);
        lua_close(L);
        bytes_free(&body);
    }
}

/* Save functions that change tables meanwhile: an error, or a body that can be read. */
static void meddling(void **state)
{
    static const char *const changes[] = {
        "fresh = 1",
        "for i = 1, 100 do _G['g' .. i] = i end",
        "gone = nil",
        "t.fresh = 1",
        "t.a = nil",
        "t[1], t[2] = nil, nil",
        "t.a = nil; t.b = nil; t.c = 1",
        "for i = 1, 100 do t['k' .. i] = i end",
        "for i = 1, 100 do t['k' .. i] = i end; for i = 1, 100 do t['k' .. i] = nil end",
        "for i = 1, 4 do t['k' .. i] = i end; t.a, t.b, t.x, t.y = nil",
        "math.fresh = 1; for i = 1, 100 do math['k' .. i] = i end",
        "t.z = setmetatable({}, C)",
        "setmetatable(t, {})",
        "setmetatable(t, nil)",
        "t = {}",
        "",
    };
    (void)state;
    int refused = 0;
    for (size_t i = 0; i < 2 * COUNT(changes); i++) {
        struct bytes body = {0};
        char chunk[1000];
        lua_State *a = value_open(NULL), *b = value_open(NULL);
        snprintf(chunk, sizeof chunk,
                 "C = {}; gone = 1\n"
                 "register('C', C, function(o) change(); return 1 end, print)\n"
                 "function object() return setmetatable({}, C) end\n"
                 "t = setmetatable({1, 2, 3, object(), a = 1, b = 2, o = object(), x = 1, y = 1},"
                 "{object()})\n%s\n"
                 "function change() %s end\n",
                 i % 2 == 0 ? "math.o = {object(), t}" : "o = object(); math.o = object()",
                 changes[i / 2]);
        value_run(a, chunk);
        if (value_encode(a, 0, &body)) {
            decode(b, &body);
        } else {
            if (strstr(lua_tostring(a, -1), "changed while it was being saved") == NULL)
                fail_msg("%s: %s", changes[i / 2], lua_tostring(a, -1));
            refused++;
        }
        lua_close(a);
        lua_close(b);
        bytes_free(&body);
    }
    assert_in_range(refused, 8, 2 * COUNT(changes) - 4);
}

/* A save function that leaves all as it was, but has moved the entries about: all of them are in
 * the body, or it is refused. */
static void moving(void **state)
{
    (void)state;
    int refused = 0;
    for (int i = 0; i < 300; i++) { /* the order of keys is another one each time */
        struct bytes body = {0};
        char chunk[1000];
        lua_State *a = value_open(NULL), *b = value_open(NULL);
        snprintf(chunk, sizeof chunk,
                 "C, keys = {}, %d\n"
                 "register('C', C, function(o)\n"
                 "    for i = 1, 100 do t['new' .. i] = i end\n"
                 "    for i = 1, 100 do t['new' .. i] = nil end\n"
                 "    return 1\n"
                 "end, print)\n"
                 "t = {}\n"
                 "for i = 1, keys do t['k' .. i] = i == keys // 2 and setmetatable({}, C) or i end",
                 4 + i % 5);
        value_run(a, chunk);
        if (value_encode(a, 0, &body)) {
            decode(b, &body);
            value_run(b, "for i = 1, keys do assert(t['k' .. i] ~= nil, i) end");
        } else {
            assert_non_null(strstr(lua_tostring(a, -1), "changed while it was being saved"));
            refused++;
        }
        lua_close(a);
        lua_close(b);
        bytes_free(&body);
    }
    assert_in_range(refused, 1, 300);
}

/* str is for what other programs may take for text: valid UTF-8 alone. */
static void text_and_bytes(void **state)
{
    static const struct {
        const char *data;
        int is_text;
    } strings[] = {
        {"", 1},
        {"plain", 1},
        {"\x7F", 1},
        {"\xC2\x80", 1},
        {"\xDF\xBF", 1},
        {"\xE0\xA0\x80", 1},
        {"\xED\x9F\xBF", 1},
        {"\xEE\x80\x80", 1},
        {"\xF0\x90\x80\x80", 1},
        {"\xF4\x8F\xBF\xBF", 1},
        {"\x80", 0},
        {"\xC0\x80", 0},
        {"\xC1\xBF", 0},
        {"\xC3", 0},
        {"\xC3\xC3", 0},
        {"\xE0\x9F\xBF", 0},
        {"\xED\xA0\x80", 0},
        {"\xF0\x8F\xBF\xBF", 0},
        {"\xF4\x90\x80\x80", 0},
        {"\xF5\x80\x80\x80", 0},
        {"\xFF", 0},
        {"12345678\xE2\x82", 0},
        {"12345678\xE2\x82\xAC\xFF 12345678", 0},
    };
    (void)state;
    lua_State *L = luaL_newstate();
    for (size_t i = 0; i < COUNT(strings); i++) {
        struct bytes bytes = {0};
        struct sink sink = value_sink(&bytes);
        struct pack *pack = pack_new(L, &sink);
        pack_string(pack, strings[i].data, strlen(strings[i].data));
        pack_flush(pack);
        int is_text = (bytes.data[0] & 0xE0) == 0xA0;
        if (is_text != strings[i].is_text || (!is_text && bytes.data[0] != 0xC4))
            fail_msg("string %zu is a %s", i, is_text ? "str" : "bin");
        bytes_free(&bytes);
    }
    lua_close(L);
}

static int full(void *context, const void *data, size_t size)
{
    size_t *room = context;
    (void)data;
    if (size > *room)
        return -1;
    *room -= size;
    return 0;
}

static int encode_to_full(lua_State *L)
{
    struct sink sink = {full, lua_touserdata(L, 1)};
    encode_globals(L, pack_new(L, &sink), &value_options);
    return 0;
}

static void full_sink(void **state)
{
    (void)state;
    lua_State *L = value_open(NULL);
    value_run(L, "t = {}; for i = 1, 30000 do t[i] = {i} end");
    for (size_t room = 0; room < 400000; room += 50000) {
        size_t left = room;
        lua_gc(L, LUA_GCSTOP);
        lua_pushcfunction(L, encode_to_full);
        lua_pushlightuserdata(L, &left);
        assert_int_equal(lua_pcall(L, 1, 0, 0), LUA_ERRRUN);
        assert_string_equal(lua_tostring(L, -1), "writing failed");
        lua_pop(L, 1);
        lua_gc(L, LUA_GCRESTART);
    }
    lua_close(L);
}

int main(void)
{
    struct CMUnitTest trips[COUNT(round_trips)];
    for (size_t i = 0; i < COUNT(round_trips); i++)
        trips[i] = (struct CMUnitTest){round_trips[i].name, round_trip, NULL, NULL,
                                       (void *)(uintptr_t)&round_trips[i]};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(collector), cmocka_unit_test(tables), cmocka_unit_test(strings_once),
        cmocka_unit_test(nothing),   cmocka_unit_test(pieces), cmocka_unit_test(refuse),
        cmocka_unit_test(meddling),  cmocka_unit_test(moving), cmocka_unit_test(text_and_bytes),
        cmocka_unit_test(full_sink)};
    int failed = cmocka_run_group_tests_name("round trips", trips, NULL, NULL);
    return failed + cmocka_run_group_tests_name("values", tests, NULL, NULL) != 0;
}
