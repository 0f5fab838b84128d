-- inspect.lua and export.lua on headers and variables made here; run from anywhere:
--     lua5.4 tests/lua/test_inspect.lua
-- A random test prints its seed; CKPTLUA_TEST_SEED replays it.

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/../../lua/?.lua;" .. package.path

local lu = require "luaunit"
local export = require "export"
local inspect = require "inspect"

local seed = tonumber(os.getenv "CKPTLUA_TEST_SEED") or os.time()
print("CKPTLUA_TEST_SEED=" .. seed)
math.randomseed(seed)

local NAN = 0 / 0

-- luaunit finds the tests by their being global:
-- luacheck: globals TestText TestHeader TestVariables TestJson TestMsgpack TestDepth TestCommands

local function encoded(encoder, variables, options)
  local pieces = {}
  export.encode(encoder, variables, function(text)
    pieces[#pieces + 1] = text
  end, options)
  return table.concat(pieces)
end

-- The JSON of one value.
local function json(value)
  return encoded(export.json, { v = value }):match('^{\n"v":(.*)\n}$')
end

-- The msgpack of one value, as hexadecimal digits.
local function msgpack(value)
  local text = encoded(export.msgpack, { v = value })
  lu.assertEquals(text:sub(1, 3), "\x81\xA1v")
  return (text:sub(4):gsub(".", function(byte) return ("%02x"):format(byte:byte()) end))
end

-- What f raises: exit code and message.
local function failure(f, ...)
  local ok, raised = pcall(f, ...)
  lu.assertFalse(ok)
  lu.assertIsTable(raised, tostring(raised))
  return raised.code, raised.message
end

-- A value that only a job can have, as ckptlua_load gives it.
local function placeholder(text)
  local file = assert(io.tmpfile())
  file:close()
  return debug.setmetatable(file, { __tostring = function() return text end })
end

---------------------------------------------------------------- single values

TestText = {}

function TestText.test_a_float_has_the_shortest_text_that_reads_back()
  for text, value in pairs {
    ["0.1"] = 0.1, ["3.0"] = 3.0, ["-0.0"] = -0.0, ["1e+300"] = 1e300, ["5e-324"] = 5e-324,
    ["0.3333333333333333"] = 1 / 3, ["0.30000000000000004"] = 0.1 + 0.2,
    ["2.2250738585072014e-308"] = 0x1p-1022, ["1.7976931348623157e+308"] = 0x1.fffffffffffffp1023,
    ["9007199254740992.0"] = 0x1p53, ["inf"] = math.huge, ["-inf"] = -math.huge, ["nan"] = NAN,
  } do
    lu.assertEquals(export.float(value), text)
  end
end

function TestText.test_random_floats_read_back()
  for _ = 1, 20000 do
    local value = string.unpack("d", string.pack("j", math.random(0)))
    if value == value and value - value == 0 then
      local text = export.float(value)
      local back = tonumber(text)
      lu.assertEquals(string.pack("d", back), string.pack("d", value), text)
      lu.assertEquals(math.type(back), "float", text)
    end
  end
end

function TestText.test_quoted_strings_read_back_and_hold_nothing_a_terminal_obeys()
  for _ = 1, 2000 do
    local bytes = {}
    for i = 1, math.random(0, 12) do
      bytes[i] = string.char(math.random(0, 255))
    end
    local text = table.concat(bytes)
    local quoted = export.quote(text)
    lu.assertEquals(load("return " .. quoted)(), text)
    lu.assertNil(quoted:find("%c"))
    lu.assertNotNil(utf8.len(quoted))
  end
  lu.assertEquals(export.quote("h\u{e4}\n\27\u{9b}1m"), '"h\u{e4}\\n\\x1B\\xC2\\x9B1m"')
end

function TestText.test_keys_are_written_as_in_lua()
  for step, key in pairs {
    [".name"] = "name", ["[3]"] = 3, ["[2.5]"] = 2.5, ['["a b"]'] = "a b", ['["end"]'] = "end",
    ["[true]"] = true, ['[""]'] = "",
  } do
    lu.assertEquals(export.step(key), step)
  end
end

function TestText.test_sizes()
  for text, bytes in pairs {
    ["0 bytes"] = 0, ["1 byte"] = 1, ["999 bytes"] = 999, ["1.0 KB"] = 1000, ["2.1 KB"] = 2100,
    ["10 KB"] = 9999, ["512 KB"] = 512345, ["1.0 MB"] = 999999, ["4.5 MB"] = 4512345,
    ["8.0 GB"] = 8e9,
  } do
    lu.assertEquals(inspect.size(bytes), text)
  end
end

function TestText.test_durations()
  for text, seconds in pairs {
    ["0 s"] = 0, ["11 ms"] = 0.011, ["1.0 s"] = 0.9999, ["4.1 s"] = 4.1, ["10 s"] = 9.97,
    ["18 s"] = 18.2, ["1 m"] = 59.9, ["2 m 5 s"] = 125, ["1 h 12 m"] = 4321, ["1 h"] = 3600,
    ["2 d 3 h"] = 2 * 86400 + 3 * 3600 + 5,
  } do
    lu.assertEquals(inspect.duration(seconds), text)
  end
end

---------------------------------------------------------------- the header

TestHeader = {}

local function full_header()
  return {
    ckptlua = 1, version = "0.1.0", lua = "5.4.4", kind = "job", resume = "globals",
    script = { name = "cg.lua", hash = "3f9a12c0deadbeef" }, arguments = {}, seed = 7,
    job = "3f", generation = 17, reason = "the interval had passed", saved = 1795269731.25,
    host = "node7",
    machine = "x86_64, glibc 2.36", features = "avx avx2",
    computed = 4321.5, saving = 4.1, saves = 17, resumed = 2,
    progress = { done = 533, total = 188501, text = "residual 3.1e-06" }, bytes = 4512345,
    runs = {
      { start = 1795250731, ["end"] = 1795253731, host = "node3", ended = "evicted (SIGTERM)" },
      { start = 1795254731, ["end"] = 1795256731, host = "node9", ended = "killed", lost = 37.2 },
      { start = 1795258731, host = "node7" },
    },
  }
end

function TestHeader.test_a_job()
  lu.assertEquals(inspect.header("cg.ckpt", full_header()), [[
cg.ckpt    ckptlua 0.1.0 snapshot, format 1, 4.5 MB, checksum good, generation 17, Lua 5.4.4
script     cg.lua (hash 3f9a12c0), arguments: none, seed 7
saved      2026-11-21 14:02:11 UTC on node7, because the interval had passed
machine    x86_64, glibc 2.36, avx avx2
work       1 h 12 m computed, 4.1 s (0.09 %) spent saving, 17 saves, 3 runs
runs       1  node3  08:45-09:35  evicted (SIGTERM)
           2  node9  09:52-10:25  killed; 37 s of work lost
           3  node7  10:58-
progress   533 of 188501, residual 3.1e-06]])
end

function TestHeader.test_a_workspace_has_little()
  local header = {
    ckptlua = 1, kind = "workspace", version = "0.1.0", lua = "Lua 5.4.4", saved = 1795269731,
    host = "node7", bytes = 300,
  }
  lu.assertEquals(inspect.header("a.ckpt", header), [[
a.ckpt     ckptlua 0.1.0 workspace, format 1, 300 bytes, checksum good, Lua 5.4.4
saved      2026-11-21 14:02:11 UTC on node7]])
end

function TestHeader.test_signals_days_and_the_end()
  local header = full_header()
  header.reason = "SIGTERM"
  header.finished = { code = 3 }
  header.runs = { { start = 1795269731 - 86400, ["end"] = 1795269731, host = "n" } }
  header.arguments = { "a b", "--n=3" }
  local text = inspect.header("cg.ckpt", header)
  lu.assertStrContains(text, "UTC on node7, because of SIGTERM\n")
  lu.assertStrContains(text, "3  n  2026-11-20 14:02-2026-11-21 14:02\n")
  lu.assertStrContains(text, 'arguments: "a b" --n=3, ')
  lu.assertStrContains(text, "\nfinished   the job has ended with exit code 3")
end

function TestHeader.test_only_the_last_runs_are_listed()
  local header = full_header()
  header.resumed, header.runs = 149, {}
  for i = 1, 100 do
    header.runs[i] = { start = 1795250731 + i, host = "node" .. i }
  end
  local text = inspect.header("cg.ckpt", header)
  lu.assertStrContains(text, "runs       ...           140 earlier runs\n")
  lu.assertStrContains(text, "\n           141  node91 ")
  lu.assertStrContains(text, "\n           150  node100 ")
  lu.assertNotStrContains(text, "node90 ")
end

-- Those that were killed before they saved are among the runs, but no resumes of a saved state.
function TestHeader.test_runs_that_saved_nothing_count()
  local header = full_header()
  header.run = 4
  local text = inspect.header("cg.ckpt", header)
  lu.assertStrContains(text, ", 4 runs\n")
  lu.assertStrContains(text, "\n           4  node7 ")
end

-- Whatever is in a header, it is shown or left out, and sends nothing to the terminal.
function TestHeader.test_any_field_may_be_missing_or_odd()
  local odd = {
    false, true, 0, -1, 1e300, -1e300, NAN, math.huge, math.mininteger, "", "%s%d", "\27[31m\0\xff",
    {}, { {} }, { 1, "x", {} }, setmetatable({}, { __index = function() error "touched" end }),
  }
  local fields = {}
  for name in pairs(full_header()) do
    fields[#fields + 1] = name
  end
  table.sort(fields)
  for _, name in ipairs(fields) do
    local header = full_header()
    header[name] = nil
    inspect.header("cg.ckpt", header)
    for i = 1, #odd do
      header[name] = odd[i]
      lu.assertNil(inspect.header("cg.ckpt", header):gsub("\n", ""):find("%c"), name .. " " .. i)
    end
  end
  for _, name in ipairs { "script", "progress", "finished", "runs" } do
    for i = 1, #odd do
      local o = odd[i]
      local header = full_header()
      header[name] = { name = o, hash = o, done = o, total = o,
                       text = o, code = o }
      header.runs = { { start = o, ["end"] = o, host = o, ended = o, lost = o }, o }
      inspect.header("cg.ckpt", header)
    end
  end
end

---------------------------------------------------------------- variables

TestVariables = {}

function TestVariables.test_what_is_lua_s_own_is_named()
  local values = { g = _G, s = string, f = print, h = string.format, n = function() end }
  lu.assertEquals(inspect.value("v", { values.g, values.s, values.f, values.h, values.n }),
                  "{ <module _G>, <module string>, <function print>, <function string.format>, "
                  .. "<function> }")
  lu.assertEquals(inspect.list(values), [[
f  function  print
g  module    _G
h  function  string.format
n  function
s  module    string]])
  lu.assertEquals(json(values), '{"f":"function print","g":"module _G",'
                  .. '"h":"function string.format","n":"function","s":"module string"}')
end

function TestVariables.test_a_stand_in_for_a_function_is_named()
  local standin = function() end
  export.stand_in = function(value) return value == standin and "function job:f" or nil end
  lu.assertEquals(inspect.list { f = standin }, "f  function  job:f")
  export.stand_in = nil
end

function TestVariables.test_the_list()
  local variables = {
    k = 312, x = { 1, 2, 3 }, name = "cg", text = ("ab\n"):rep(50), eps = 1e-10, on = true,
    mixed = { 1, n = 2, m = 3 }, map = { a = 1 }, nothing = {}, f = placeholder "function f",
    A = placeholder "transient A",
  }
  lu.assertEquals(inspect.list(variables), [[
A        transient  A
eps      float      1e-10
f        function   f
k        integer    312
map      table      1 field
mixed    table      1 element, 2 others
name     string     2 bytes  "cg"
nothing  table      empty
on       boolean    true
text     string     150 bytes  "ab\nab\nab\nab\nab\nab\nab\nab\nab\nab\nab\nab\nab\na"...
x        table      3 elements]])
  lu.assertEquals(inspect.list {}, "none")
end

function TestVariables.test_a_string_is_cut_between_characters()
  local variables = { s = ("\u{e4}"):rep(19) .. "a" .. ("\u{20ac}"):rep(20) }
  lu.assertEquals(inspect.list(variables),
                  's  string  99 bytes  "' .. ("\u{e4}"):rep(19) .. 'a"...')
end

function TestVariables.test_values()
  local fibonacci = { 0, 1, 1, 2, 3, 5, 8, 13 }
  for i = 9, 31 do
    fibonacci[i] = fibonacci[i - 1] + fibonacci[i - 2]
  end
  lu.assertEquals(inspect.value("x", fibonacci),
                  "{ 0, 1, 1, 2, 3, 5, 8, 13, ... (31 elements) }")
  lu.assertEquals(inspect.value("x", { 1, 2.0, a = { b = { c = { d = 1 } } } }),
                  "{ 1, 2.0, a = { b = { c = { ... (1 field) } } } }")
  lu.assertEquals(inspect.value("x", "a\tb"), '"a\\tb"')
  lu.assertEquals(inspect.value("x", 31), "31")
  lu.assertEquals(inspect.value("x", { ["a b"] = false, [2.5] = {} }),
                  '{ [2.5] = {}, ["a b"] = false }')
  local shared = { 1 }
  lu.assertEquals(inspect.value("x", { shared, shared }), "{ { 1 }, { 1 } }")
  lu.assertEquals(inspect.value("f", placeholder "function f"), "<function f>")
end

function TestVariables.test_cycles_are_shown_as_such()
  local state = { x = {} }
  state.x.up, state.self = state, state
  lu.assertEquals(inspect.value("state", state),
                  "{ self = <cycle to state>, x = { up = <cycle to state> } }")
end

function TestVariables.test_metatables_are_not_asked()
  local function refuse() error "touched" end
  local value = setmetatable({ 1, 2, n = 3 }, {
    __index = refuse, __len = refuse, __pairs = refuse, __eq = refuse, __tostring = refuse,
    __metatable = "locked",
  })
  lu.assertEquals(inspect.value("v", value), "{ 1, 2, n = 3 }")
  lu.assertEquals(inspect.list { v = value }, "v  table  2 elements, 1 other")
  lu.assertEquals(json(value), '{"1":1,"2":2,"n":3}')
end

function TestVariables.test_finding()
  local variables = {
    x = { 10, 20, [2.5] = "half", [true] = "yes", off = false }, ["a.b"] = 1,
    state = { x = { { y = "deep" } }, ["odd]name"] = 2, ["\n"] = 3, ["1"] = "text" },
  }
  for name, value in pairs {
    ["x[2]"] = 20, ["x[2.5]"] = "half", ["x[true]"] = "yes", ["x.off"] = false, ["a.b"] = 1,
    ["state.x[1].y"] = "deep", ['state["odd]name"]'] = 2, ["state['\\n']"] = 3,
    ['state["1"]'] = "text", ["state.1"] = "text",
  } do
    lu.assertEquals(inspect.find("f.ckpt", variables, name), value, name)
  end
end

function TestVariables.test_finding_what_is_not_there()
  local variables = { x = { 1 }, k = 3 }
  for name, expected in pairs {
    zz = { 1, "zz: no such variable in f.ckpt; it has k, x" },
    ["zz.y"] = { 1, "zz.y: no such variable in f.ckpt; it has k, x" },
    ["x[2]"] = { 1, "x[2]: not in x, which is a table (1 element)" },
    ["k.y"] = { 1, "k.y: k is no table but integer 3" },
    ["x["] = { 2, 'x[: cannot read this as a variable; write x, state.x, x[3] or x["a b"]' },
    ["x[a]"] = { 2, 'x[a]: cannot read this as a variable; write x, state.x, x[3] or x["a b"]' },
  } do
    local code, message = failure(inspect.find, "f.ckpt", variables, name)
    lu.assertEquals({ code, message }, expected)
  end
  lu.assertEquals({ failure(inspect.find, "f.ckpt", {}, "sum") },
    { 1, "sum: no such variable in f.ckpt; it has no global variables" })
end

---------------------------------------------------------------- JSON

TestJson = {}

function TestJson.test_values()
  for text, value in pairs {
    ["9223372036854775807"] = math.maxinteger, ["-9223372036854775808"] = math.mininteger,
    ["3.0"] = 3.0, ['"NaN"'] = NAN, ['"Infinity"'] = math.huge, ['"-Infinity"'] = -math.huge,
    ["false"] = false, ['"a\\"\\\\\\n\\u0001\u{e4}"'] = 'a"\\\n\1\u{e4}', ["[]"] = {},
    ["[1,[2],{\"a\":3}]"] = { 1, { 2 }, { a = 3 } }, ['{"1":1,"3":3}'] = { 1, nil, 3 },
    ['{"2.5":1,"x":3,"false":2}'] = { [2.5] = 1, [false] = 2, x = 3 },
    ['"function f"'] = placeholder "function f",
  } do
    lu.assertEquals(json(value), text)
  end
end

function TestJson.test_bytes_that_are_no_text()
  lu.assertEquals(json "\xff", '{"base64":"/w=="}')
  lu.assertEquals(json "\xff\0", '{"base64":"/wA="}')
  lu.assertEquals(json "\xff\0a", '{"base64":"/wBh"}')
  lu.assertEquals(json "\xed\xa0\x80", '{"base64":"7aCA"}') -- half of a surrogate pair
end

function TestJson.test_variables_are_one_a_line_and_always_an_object()
  lu.assertEquals(encoded(export.json, { b = 1, a = { 2 } }), '{\n"a":[2],\n"b":1\n}')
  lu.assertEquals(encoded(export.json, {}), "{\n\n}")
  lu.assertEquals(encoded(export.json, { 5 }), '{\n"1":5\n}')
end

function TestJson.test_a_shared_table_is_written_twice()
  local shared = { 1 }
  lu.assertEquals(json { shared, shared }, "[[1],[1]]")
end

function TestJson.test_what_cannot_be_written_is_refused_by_path()
  local cycle = { list = { 1, {} } }
  cycle.list[2].up = cycle.list
  for message, value in pairs {
    ["v.list[2].up: it is v.list again"] = cycle,
    ['v.t: the keys [1] and ["1"] of one table'] = { t = { [1] = 1, ["1"] = 2, x = 3 } },
    ["v.t: a table as a key"] = { t = { [{}] = 1 } },
    ["v[1]: a key that is not UTF-8 text"] = { { ["\xff"] = 1 } },
  } do
    local code, told = failure(json, value)
    lu.assertEquals(code, 1)
    lu.assertStrContains(told, message)
  end
end

function TestJson.test_leniently_nothing_is_refused()
  local value = { [1] = 1, ["1"] = 2, ["\xff"] = 3 }
  value.again = value
  local text = encoded(export.json, { header = {}, variables = { v = value } },
                       { maps = 2, lenient = true })
  lu.assertEquals(text, [[
{
"header":{},
"variables":{"v":{"1":1,"[\"1\"]":2,"again":"cycle to v","[\"\\xFF\"]":3}}
}]])
end

function TestJson.test_a_weak_table_is_written_as_it_was_counted()
  local weak = setmetatable({}, { __mode = "v", __metatable = false })
  for i = 1, 100 do
    weak[i] = { i }
  end
  local pieces = {}
  export.encode(export.msgpack, { v = weak }, function(text)
    pieces[#pieces + 1] = text
    if #pieces > 2 then -- counted
      collectgarbage()
    end
  end)
  local text = table.concat(pieces)
  lu.assertEquals(text:sub(1, 6), "\x81\xA1v\xDC\0\100")
  lu.assertEquals(#text, 6 + 200)
end

---------------------------------------------------------------- msgpack

TestMsgpack = {}

function TestMsgpack.test_integers_have_the_shortest_form()
  for bytes, value in pairs {
    ["00"] = 0, ["7f"] = 127, ["cc80"] = 128, ["ccff"] = 255, ["cd0100"] = 256, ["cdffff"] = 65535,
    ["ce00010000"] = 65536, ["ceffffffff"] = 0xffffffff, ["cf0000000100000000"] = 0x100000000,
    ["cf7fffffffffffffff"] = math.maxinteger, ["ff"] = -1, ["e0"] = -32, ["d0df"] = -33,
    ["d080"] = -128, ["d1ff7f"] = -129, ["d18000"] = -32768, ["d2ffff7fff"] = -32769,
    ["d280000000"] = -0x80000000, ["d3ffffffff7fffffff"] = -0x80000001,
    ["d38000000000000000"] = math.mininteger,
  } do
    lu.assertEquals(msgpack(value), bytes)
  end
end

function TestMsgpack.test_other_values()
  for bytes, value in pairs {
    ["cb4008000000000000"] = 3.0, ["cb8000000000000000"] = -0.0, ["cb7ff0000000000000"] = math.huge,
    ["c3"] = true, ["c2"] = false, ["a0"] = "", ["a161"] = "a", ["c401ff"] = "\xff", ["90"] = {},
    ["920102"] = { 1, 2 }, ["820102a17803"] = { [1] = 2, x = 3 }, ["8102c3"] = { [2] = true },
    ["a466206f6b"] = placeholder "f ok",
  } do
    lu.assertEquals(msgpack(value), bytes)
  end
end

function TestMsgpack.test_keys_keep_their_types()
  lu.assertEquals(msgpack { [1] = 1, ["1"] = 2, [false] = 3, [2.5] = 4 },
                  "84" .. "0101" .. "cb400400000000000004" .. "a13102" .. "c203")
  lu.assertEquals(failure(msgpack, { [{}] = 1 }), 1)
end

function TestMsgpack.test_lengths()
  for size, head in pairs {
    [31] = "bf", [32] = "d920", [255] = "d9ff", [256] = "da0100", [65535] = "daffff",
    [65536] = "db00010000",
  } do
    lu.assertEquals(msgpack(("a"):rep(size)):sub(1, #head + 2), head .. "61")
  end
  for size, head in pairs { [255] = "c4ff", [256] = "c50100", [65536] = "c600010000" } do
    lu.assertEquals(msgpack(("\xff"):rep(size)):sub(1, #head + 2), head .. "ff")
  end
  for size, head in pairs { [15] = "9f", [16] = "dc0010", [65536] = "dd00010000" } do
    local list, map = {}, {}
    for i = 1, size do
      list[i], map[-i] = true, true
    end
    lu.assertEquals(msgpack(list):sub(1, #head + 2), head .. "c3")
    local map_head = head:gsub("^9", "8"):gsub("^dc", "de"):gsub("^dd", "df")
    lu.assertEquals(msgpack(map):sub(1, #map_head), map_head)
  end
end

---------------------------------------------------------------- depth

TestDepth = {}

function TestDepth.test_a_chain_of_300000_tables()
  local root = {}
  local last = root
  for i = 1, 300000 do
    last.next = { i }
    last = last.next
  end
  local size = 0
  export.encode(export.json, root, function(text) size = size + #text end)
  lu.assertTrue(size > 300000 * 8)
  last[2] = { [{}] = true }
  local _, message = failure(export.encode, export.msgpack, root, function() end)
  lu.assertEquals(message, "next.next.next.next.next ... .next.next.next.next[2]: "
                           .. "a table as a key cannot be read by most msgpack readers")
end

---------------------------------------------------------------- the commands

TestCommands = {}

-- A program around the commands: snapshots are tables here, the files written too.
local function fake_host(files)
  local host = { written = {}, printed = "" }
  local function get(file, what)
    if not files[file] then
      error(file .. ": no such file", 0)
    end
    return files[file][what]
  end
  function host.load(file) return get(file, "variables") end
  function host.load_header(file) return get(file, "header") end
  function host.same(one, other) return one == other end
  function host.write(text) host.printed = host.printed .. text end
  function host.create(file)
    local text = ""
    return {
      write = function(_, more) text = text .. more end,
      commit = function() host.written[file] = text end,
    }
  end
  return host
end

local function fibonacci_host()
  return fake_host { ["fib.ckpt"] = { header = full_header(), variables = { no_of_terms = 31 } } }
end

function TestCommands.test_inspect()
  local host = fibonacci_host()
  inspect.run(host, {}, "fib.ckpt", "no_of_terms")
  lu.assertEquals(host.printed, "no_of_terms = 31\n")
  host.printed = ""
  inspect.run(host, {}, "fib.ckpt")
  lu.assertStrContains(host.printed, "\nglobals    no_of_terms  integer  31\n")
end

function TestCommands.test_inspect_json()
  local host = fibonacci_host()
  inspect.run(host, { json = true }, "fib.ckpt")
  lu.assertStrContains(host.printed, '"variables":{"no_of_terms":31}\n}\n')
  lu.assertStrContains(host.printed, '"header":{"arguments":[],"bytes":4512345,')
end

function TestCommands.test_inspect_prints_nothing_before_all_names_are_found()
  local host = fibonacci_host()
  lu.assertEquals(failure(inspect.run, host, {}, "fib.ckpt", "no_of_terms", "zz"), 1)
  lu.assertEquals(host.printed, "")
  lu.assertEquals(failure(inspect.run, host, {}), 2)
end

function TestCommands.test_a_snapshot_that_cannot_be_used_is_3()
  local host = fibonacci_host()
  for _, f in ipairs { inspect.run, export.run } do
    local code, message = failure(f, host, {}, "no.ckpt", f == export.run and "o.json" or nil)
    lu.assertEquals({ code, message }, { 3, "no.ckpt: no such file" })
  end
  lu.assertNil(next(host.written))
end

function TestCommands.test_export()
  local host = fibonacci_host()
  export.run(host, {}, "fib.ckpt", "a/o.json")
  export.run(host, {}, "fib.ckpt", "o.msgpack")
  lu.assertEquals(host.written, {
    ["a/o.json"] = '{\n"no_of_terms":31\n}\n', ["o.msgpack"] = "\x81\xABno_of_terms\x1f",
  })
end

function TestCommands.test_export_wrong_use()
  local host = fibonacci_host()
  for out, message in pairs {
    ["o.txt"] = "end the name in .json or .msgpack", ["a.json/o"] = ".json or .msgpack",
    ["json"] = ".json or .msgpack", ["o.mat"] = "o.mat: export to .mat: not in this version",
    ["-"] = ".json or .msgpack",
  } do
    local code, told = failure(export.run, host, {}, "fib.ckpt", out)
    lu.assertEquals(code, 2)
    lu.assertStrContains(told, message)
  end
  lu.assertEquals(failure(export.run, host, {}, "fib.ckpt"), 2)
  lu.assertEquals(failure(export.run, host, {}, "fib.ckpt", "o.json", "p.json"), 2)
  lu.assertNil(next(host.written))
end

function TestCommands.test_export_of_a_cycle_leaves_nothing()
  local host = fake_host { ["c.ckpt"] = { header = {}, variables = {} } }
  local variables = host.load "c.ckpt"
  variables.v = { variables = {} }
  variables.v.variables[1] = variables.v
  local code, message = failure(export.run, host, {}, "c.ckpt", "o.json")
  lu.assertEquals(code, 1)
  lu.assertStrContains(message, "v.variables[1]: it is v again")
  lu.assertNil(next(host.written))
end

os.exit(lu.LuaUnit.run())
