/* value: what the script makes again when it starts, and what stands for it until then. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <lauxlib.h>

#include "value/decode.h"
#include "value_support.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

/* `script` is what the job does whenever it starts, `work` only the fresh one. A continued one has
 * the globals, runs `before`, then the script, a sweep and `check`. */
struct late_case {
    const char *name, *script, *work, *before, *check;
};

static const struct late_case cases[] = {
    {"functions",
     "function f(x) return x * 2 end\n"
     "function string.shout(s) return s:upper() .. '!' end\n",
     "g = f; t = {f, f, call = f, [f] = 'key', deep = {{f}}, itself = {}}\n"
     "t.itself[f] = f; shout = string.shout\n",
     "old = g; assert(type(g) == 'function' and t[1] == g and t[g] == 'key')\n"
     "assert(rawget(_G, 'f') == nil and string.shout == nil)\n"
     "local ok, message = pcall(g, 1)\n"
     "assert(not ok and message:find(\"function 'f', which is not defined yet\", 1, true), "
     "message)\n"
     "ok, message = pcall(shout, 'a')\n"
     "assert(not ok and message:find(\"function 'string.shout'\", 1, true), message)\n",
     "assert(g == f and t[1] == f and t[2] == f and t.call == f and t[f] == 'key')\n"
     "assert(t.deep[1][1] == f and t.itself[f] == f and g(21) == 42)\n"
     "assert(t.itself[old] == nil or old == f)\n"
     "assert(old == f or old == nil or old(2) == 4)\n"
     "assert(shout == string.shout and shout('a') == 'A!')\n"},
    {"yielding and results of a stand-in", "function f(...) return coroutine.yield(...) end\n",
     "t = {f}\n", "copy = {t[1]}\n",
     "local co = coroutine.wrap((copy or t)[1])\n"
     "local a, b, c = co(1, nil, 3)\n"
     "assert(a == 1 and b == nil and c == 3)\n"
     "assert(select('#', co(nil, nil)) == 2)\n"},
    {"a key and its value", "function f() end\nfunction g() end\n",
     "t = {[f] = g, [g] = f}; u = {[f] = f}; v = {[g] = g, [f] = {[f] = g}}\n", "",
     "assert(t[f] == g and t[g] == f and u[f] == f and v[g] == g and v[f][f] == g)\n"
     "for _, t in ipairs{t, u, v} do\n"
     "    for k, v in pairs(t) do assert(k == f or k == g) end\n"
     "end\n"},
    {"modules",
     "package.loaded.mod = {name = 'mod', run = function() return 'run' end, sub = 1}\n"
     "package.loaded['a.b'] = setmetatable({}, {__index = function(_, k) return k end})\n"
     "package.loaded.fun = function() return 'fun' end\n"
     "mod = package.loaded.mod\n",
     "m = mod; t = {mod, run = mod.run, [mod] = 'key', ab = package.loaded['a.b']}\n"
     "o = setmetatable({}, mod); fun = package.loaded.fun; t.fun = fun\n",
     "assert(rawget(_G, 'mod') == nil and rawget(_G, 'm') == nil)\n"
     "local ok, message = pcall(function() return t[1].x end)\n"
     "assert(not ok and message:find(\"module 'mod', which is not loaded yet\", 1, true), "
     "message)\n"
     "assert(not pcall(function() t[1].x = 1 end) and not pcall(function() return #t[1] end))\n"
     "assert(not pcall(pairs, t[1]) and not pcall(function() return t[1] .. '' end))\n"
     "assert(tostring(t[1]) == 'module mod')\n",
     "local m = package.loaded.mod\n"
     "assert(t[1] == m and t[m] == 'key' and t.run == m.run and t.run() == 'run')\n"
     "assert(t.ab == package.loaded['a.b'] and t.ab.x == 'x' and getmetatable(o) == m)\n"
     "assert(t.fun == package.loaded.fun and t.fun() == 'fun')\n"},
    {"a class without functions",
     "Class = {}; Class.__index = Class\n"
     "function Class.hello(o) return 'hello ' .. o.name end\n"
     "register('Class', Class)\n",
     "a = setmetatable({name = 'a'}, Class); b = {a, Class, [Class] = a}; Other = Class\n",
     "assert(a.name == 'a' and rawget(_G, 'Class') == nil)\n"
     "local ok, message = pcall(function() return a:hello() end)\n"
     "assert(not ok and message:find(\"class 'Class', which is not registered yet\", 1, true),\n"
     "    message)\n"
     "assert(next(a) == 'name')\n",
     "assert(getmetatable(a) == Class and a:hello() == 'hello a' and b[1] == a)\n"
     "assert(b[2] == Class and b[Class] == a)\n"},
    {"a class with functions",
     "Point = {}; Point.__index = Point\n"
     "register('Point', Point, function(p) return p.x .. ' ' .. p.y end,\n"
     "    function(s)\n"
     "        local x, y = s:match('(%S+) (%S+)')\n"
     "        return setmetatable({x = tonumber(x), y = tonumber(y)}, Point)\n"
     "    end)\n",
     "p = setmetatable({x = 1, y = 2}, Point); t = {p, p, [p] = p}; t.t = {p}\n",
     "local ok, message = pcall(function() return p.x end)\n"
     "assert(not ok and message:find(\"class 'Point', which is not registered yet\", 1, true),\n"
     "    message)\n"
     "assert(tostring(p) == 'object of class Point')\n",
     "assert(p.x == 1 and p.y == 2 and getmetatable(p) == Point and t[1] == p and t[2] == p)\n"
     "assert(t[p] == p and t.t[1] == p)\n"},
    {"objects in the data of others",
     "A = {}; B = {}\n"
     "register('A', A, function(o) return {o.name, o.parts} end,\n"
     "    function(d) return setmetatable({name = d[1], parts = d[2]}, A) end)\n"
     "register('B', B, function(o) return {inner = o.inner} end,\n"
     "    function(d)\n"
     "        if d.inner then assert(getmetatable(d.inner) == A and d.inner.name) end\n"
     "        return setmetatable({inner = d.inner}, B)\n"
     "    end)\n",
     "list = {}\n"
     "for i = 1, 20 do\n"
     "    local a = setmetatable({name = 'a' .. i}, A)\n"
     "    local b = setmetatable({inner = a}, B)\n"
     "    list[#list + 1] = i % 2 == 0 and a or b\n"
     "    list[#list + 1] = i % 2 == 0 and b or a\n"
     "end\n"
     "chain = setmetatable({name = 'end'}, A)\n"
     "for i = 1, 1000 do chain = setmetatable({name = i, parts = {chain}}, A) end\n",
     "",
     "for i = 1, 40, 2 do\n"
     "    local a, b = list[i], list[i + 1]\n"
     "    if getmetatable(a) == B then a, b = b, a end\n"
     "    assert(getmetatable(a) == A and getmetatable(b) == B and b.inner == a)\n"
     "end\n"
     "local n, at = 0, chain\n"
     "while at.parts do n, at = n + 1, at.parts[1]; assert(getmetatable(at) == A) end\n"
     "assert(n == 1000 and at.name == 'end')\n"},
    {"objects in each other's data",
     "A = {}\n"
     "register('A', A, function(o) return o.data end,\n"
     "    function(d) return setmetatable({data = d}, A) end)\n",
     "a = setmetatable({data = {}}, A); b = setmetatable({data = {a}}, A); a.data[1] = b\n"
     "c = setmetatable({data = {}}, A); c.data.c = c\n",
     "", "assert(a.data[1] == b and b.data[1] == a and c.data.c == c)\n"},
    {"transients",
     "transient('A', {7}); transient('B', box('b')); transient('N', 5)\n"
     "transient('F', function() return 'F' end)\n"
     "math.A = 5\n",
     "t = {A, A, a = {A}, B, F}; alias = A; u = {t, A}; n = N; meta = setmetatable({}, A)\n",
     "assert(rawget(_G, 'A') == nil and n == 5 and math.A == 5)\n"
     "local ok, message = pcall(function() return t[1][1] end)\n"
     "assert(not ok and\n"
     "    message:find(\"the transient 'A', which is not there yet\", 1, true), message)\n"
     "assert(tostring(t[1]) == 'transient A')\n",
     "assert(t[1] == A and t[2] == A and t.a[1] == A and A[1] == 7 and t[3] == B and t[4] == F)\n"
     "assert(alias == A and u[2] == A and F() == 'F' and getmetatable(meta) == A)\n"},
    {"what the script has put elsewhere meanwhile", "function f() end\npackage.loaded.mod = {}\n",
     "t = {f, package.loaded.mod, 3}\n", "t[1] = 'other'; t[2] = nil\n",
     "assert(t[1] == 'other' and t[2] == nil and t[3] == 3)\n"},
    {"names of functions",
     "function f() end; function math.f() end\n_G.g = function() end\nmath.h = f\n",
     "gg = g; ff = f; h = math.h; mathf = math.f; f_too = math.f\n", "",
     "assert(gg == g and ff == f and h == f and mathf == math.f and f_too == math.f)\n"},
    {"names that are no names",
     "local function plain() return 'plain' end\n"
     "_G['a.b'] = math.sin; _G['a:b'] = math.cos; _G['a\\0b'] = math.tan\n",
     "t = {_G['a.b'], _G['a:b']}\n", "",
     "assert(t[1] == math.sin and t[2] == math.cos and _G['a\\0b'] == math.tan)\n"},
};

static void encode(lua_State *L, struct bytes *body)
{
    body->size = 0;
    if (!value_encode(L, 0, body))
        fail_msg("encode: %s", lua_tostring(L, -1));
}

static lua_State *resume(const struct bytes *body)
{
    lua_State *L = value_open(NULL);
    if (!value_decode(L, 0, body->data, body->size))
        fail_msg("decode: %s", lua_tostring(L, -1));
    return L;
}

static void finish(lua_State *L, const struct late_case *late)
{
    value_run(L, late->script);
    value_run(L, "sweep()");
    value_run(L, "collectgarbage()");
    value_run(L, late->check);
}

/* One way through a snapshot; two, the first of them never resolved; and two whole ones. */
static void wait(void **state)
{
    const struct late_case *late = *state;
    struct bytes body = {0}, again = {0};
    lua_State *a = value_open(NULL);
    char *both = malloc(strlen(late->script) + strlen(late->work) + 1);
    strcat(strcpy(both, late->script), late->work);
    value_run(a, both);
    encode(a, &body);

    lua_State *b = resume(&body);
    encode(b, &again);
    lua_State *c = resume(&again);
    value_run(c, late->before);
    finish(c, late);

    value_run(b, late->before);
    finish(b, late);
    value_run(b, "old, copy = nil");
    encode(b, &again);
    lua_State *d = resume(&again);
    finish(d, late);

    lua_close(a);
    lua_close(b);
    lua_close(c);
    lua_close(d);
    bytes_free(&body);
    bytes_free(&again);
    free(both);
}

/* A stand-in copied to where nobody knows is saved as what it stands for. */
static void copies(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL);
    value_run(a, "function f() return 1 end\npackage.loaded.mod = {}\nt = {f, package.loaded.mod}");
    encode(a, &body);
    lua_State *b = resume(&body);
    value_run(b,
              "copy = {t[1], t[2]}\nfunction f() return 2 end\n"
              "package.loaded.mod = {}\nsweep()\nassert(t[1] == f, 1) assert(copy[1]() == 2, 2)");
    encode(b, &body);
    lua_State *c = resume(&body);
    value_run(c, "function f() return 3 end\npackage.loaded.mod = {}\nsweep()\n"
                 "assert(t[1] == f and copy[1] == f and copy[2] == package.loaded.mod)");
    lua_close(a);
    lua_close(b);
    lua_close(c);
    bytes_free(&body);
}

/* Classes registered in the other order, one of them never. */
static void classes_by_and_by(void **state)
{
    (void)state;
    static const char save[] = "A, B = {}, {}\n"
                               "register('A', A, function(o) return {o.x} end, print)\n"
                               "register('B', B, function(o) return {o.x} end, print)\n"
                               "a = setmetatable({x = 1}, A)\n"
                               "b = setmetatable({x = a}, B)\n";
    static const char one[] = "A = {}\n"
                              "register('A', A, function(o) return {o.x} end,\n"
                              "    function(d) return setmetatable({x = d[1]}, A) end)\n"
                              "assert(a.x == 1 and not pcall(function() return b.x end))";
    static const char other[] = "B = {}\n"
                                "register('B', B, function(o) return {o.x} end,\n"
                                "    function(d) return setmetatable({x = d[1]}, B) end)\n"
                                "assert(b.x == a)";
    struct bytes body = {0};
    lua_State *first = value_open(NULL);
    value_run(first, save);
    encode(first, &body);
    lua_State *second = resume(&body);
    value_run(second, one);
    encode(second, &body);
    lua_State *third = resume(&body);
    value_run(third, one);
    value_run(third, other);
    lua_close(first);
    lua_close(second);
    lua_close(third);
    bytes_free(&body);
}

/* A loader that fails, and one that gives nothing. */
static void bad_loaders(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL);
    value_run(a, "C = {}; register('C', C, function(o) return 1 end, print)\n"
                 "t = {setmetatable({}, C), [setmetatable({}, C)] = 1}");
    encode(a, &body);
    lua_State *b = resume(&body);
    value_run(b,
              "local function save() return 1 end\n"
              "local ok, message = pcall(register, 'C', {}, save, function() error('no', 0) end)\n"
              "assert(not ok and message == 'no')\n"
              "ok, message = pcall(register, 'C', {}, save, function() end)\n"
              "assert(not ok and message:find(\"load function of class 'C' gave nil\"), message)\n"
              "register('C', {}, save, function(d) return {d} end)\n"
              "assert(t[1][1] == 1)\n"
              "for k in pairs(t) do assert(k == 1 or k[1] == 1) end");
    lua_close(a);
    lua_close(b);
    bytes_free(&body);
}

/* The list of names that the script is to define again. */
static int names_again(lua_State *L)
{
    struct value_source *from = lua_touserdata(L, 1);
    struct source source = value_source(from);
    struct unpack *unpack = unpack_new(L, &source);
    lua_pushglobaltable(L);
    decode_globals(L, unpack, -1, NULL);
    return 1;
}

static void again_list(void **state)
{
    (void)state;
    struct bytes body = {0};
    lua_State *a = value_open(NULL), *b = value_open(NULL);
    value_run(a, "function f() end\nC = {}; register('C', C); transient('A', {})\n"
                 "package.loaded.m = {}; m = package.loaded.m; g = f; x = 1");
    encode(a, &body);
    struct value_source from = {body.data, body.size, 0, 0};
    lua_pushcfunction(b, names_again);
    lua_pushlightuserdata(b, &from);
    assert_int_equal(lua_pcall(b, 1, 1, 0), LUA_OK);
    lua_setglobal(b, "list");
    value_run(b, "table.sort(list); assert(table.concat(list, ' ') == 'A C f m')\n"
                 "assert(x == 1 and g and not f and not A and not C and not m)");
    lua_close(a);
    lua_close(b);
    bytes_free(&body);
}

/* Functions that no start of the script brings back are not taken for global ones. */
static void closures(void **state)
{
    static const char *const scripts[] = {
        ("local function make(n)\n return function() n = n + 1; return n end\nend\ncounter = "
         "make(0)"),
        "local t = {\n function() end\n}\ncallback = t[1]",
        "_G['a.b'] = load('return function() end --[[a.b]]')()",
        "_G['a:b'] = load('return function() end --[[a:b]]')()",
    };
    (void)state;
    for (size_t i = 0; i < COUNT(scripts); i++) {
        struct bytes body = {0};
        lua_State *L = value_open(NULL);
        value_run(L, scripts[i]);
        if (value_encode(L, 0, &body))
            fail_msg("encoded: %s", scripts[i]);
        lua_close(L);
        bytes_free(&body);
    }
}

int main(void)
{
    struct CMUnitTest waits[COUNT(cases)];
    for (size_t i = 0; i < COUNT(cases); i++)
        waits[i] =
            (struct CMUnitTest){cases[i].name, wait, NULL, NULL, (void *)(uintptr_t)&cases[i]};
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copies),      cmocka_unit_test(classes_by_and_by),
        cmocka_unit_test(bad_loaders), cmocka_unit_test(again_list),
        cmocka_unit_test(closures),
    };
    int failed = cmocka_run_group_tests_name("what waits", waits, NULL, NULL);
    return failed + cmocka_run_group_tests_name("stand-ins", tests, NULL, NULL) != 0;
}
