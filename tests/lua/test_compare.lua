-- compare.lua on tables and files made here; run from anywhere:
--     lua5.4 tests/lua/test_compare.lua

local here = arg[0]:match("^(.*)/[^/]*$") or "."
package.path = here .. "/../../lua/?.lua;" .. package.path

local lu = require "luaunit"
local compare = require "compare"

-- luaunit finds the tests by their being global:
-- luacheck: globals TestValues TestFiles TestRandom

local function same(a, b)
  local difference, unseen = compare.values({ v = a }, { v = b })
  lu.assertNil(difference)
  return unseen
end

local function differs(path, a, b)
  local difference = compare.values({ v = a }, { v = b })
  lu.assertNotNil(difference)
  lu.assertEquals(difference.path, path)
  difference = compare.values({ v = b }, { v = a })
  lu.assertNotNil(difference)
end

TestValues = {}

function TestValues.test_numbers_are_compared_by_their_bits()
  same(1, 1)
  same(0 / 0, 0 / 0)
  same(math.mininteger, math.mininteger)
  differs("v", 1, 1.0)
  differs("v", 0.0, -0.0)
  differs("v", 0 / 0, -(0 / 0))
  differs("v", math.maxinteger, math.maxinteger - 1)
  differs("v", 0.1 + 0.2, 0.3)
end

function TestValues.test_other_plain_values()
  same("a\0b", "a\0b")
  differs("v", "a\0b", "a\0c")
  differs("v", true, false)
  differs("v", nil, false)
  differs("v", "1", 1)
end

function TestValues.test_fields()
  same({ 1, 2, x = { y = 3 } }, { 1, 2, x = { y = 3 } })
  differs("v[2]", { 1, 2 }, { 1, 3 })
  differs("v.x.y", { x = { y = 3 } }, { x = { y = 4 } })
  differs("v.x", { x = 1 }, {})
  differs('v["a b"]', { ["a b"] = 1 }, { ["a b"] = 2 })
end

function TestValues.test_shared_references_and_cycles()
  local function graph(shared)
    local one = {}
    one.self = one
    return { one, one, shared and one or { self = one } }
  end
  same(graph(true), graph(true))
  differs("v[3]", graph(true), graph(false))
  local long, other = {}, {}
  for _ = 1, 100000 do
    long, other = { next = long }, { next = other }
  end
  same(long, other)
end

function TestValues.test_metatables()
  local function object(value)
    return setmetatable({}, { __index = { value = value }, __eq = function() error "called" end })
  end
  local eq = getmetatable(object(1)).__eq
  local a, b = object(1), object(1)
  getmetatable(a).__eq, getmetatable(b).__eq = eq, eq
  same(a, b)
  getmetatable(b).__index.value = 2
  differs("v (metatable).__index.value", a, b)
  differs("v (metatable)", a, {})
end

function TestValues.test_tables_as_keys()
  local function keyed(value, met)
    local key = {}
    return { [key] = value, met = met and key or {} }
  end
  lu.assertEquals(same(keyed(1, true), keyed(1, true)), 0)
  differs("v[...]", keyed(1, true), keyed(2, true))
  lu.assertEquals(same(keyed(1, false), keyed(2, false)), 1) -- it cannot be told, and is counted
  differs("v (number of fields)", keyed(1, true), { met = {} })
end

function TestValues.test_functions_are_known_by_name()
  same(math.sin, math.sin)
  differs("v", math.sin, math.cos)
end

TestFiles = {}

local function with_files(a, b, check)
  local one, other = os.tmpname(), os.tmpname()
  for name, text in pairs { [one] = a, [other] = b } do
    local file <close> = assert(io.open(name, "wb"))
    assert(file:write(text))
  end
  local ok, problem = pcall(check, one, other)
  os.remove(one)
  os.remove(other)
  if not ok then
    error(problem, 0)
  end
end

function TestFiles.test_where_they_differ()
  local function expect(a, b, offset, line, undisturbed, killed)
    with_files(a, b, function(one, other)
      local found = compare.files(one, other)
      lu.assertEquals({ found.offset, found.line, found.undisturbed, found.killed },
                      { offset, line, undisturbed, killed })
    end)
  end
  expect("a\nb\nc\n", "a\nx\nc\n", 2, 2, "b", "x")
  expect("a\nbcd\n", "a\nbce\n", 4, 2, "bcd", "bce")
  expect("a\n", "a\nb\n", 2, 2, nil, "b")
  expect("", "b", 0, 1, nil, "b")
  local long = ("line\n"):rep(700000) -- several pieces
  expect(long .. "a", long .. "b", #long, 700001, "a", "b")
  with_files(long, long, function(one, other)
    lu.assertNil(compare.files(one, other))
    lu.assertEquals(compare.lines(one), 700000)
  end)
end

function TestFiles.test_lines_are_fit_for_a_terminal()
  lu.assertEquals(compare.shown("a\tb\27[2J"), "a\tb\\x1B[2J")
  lu.assertEquals(compare.shown(nil), "(the end)")
  lu.assertEquals(#compare.shown(("x"):rep(1000)), 103)
end

TestRandom = {}

function TestRandom.test_state_is_found_in_a_snapshot()
  local state = ("0123456789abcdef"):rep(2)
  local header = "\xDE\0\2\xA7ckptlua\xCE\0\0\0\1\xA4text\xDA\0\6random"
  local body = "\x83\xA5clock\xCB\0\0\0\0\0\0\0\0\xA5files\x92\1\xC0\xA6random\xC4\x20" .. state
  with_files(header .. body .. "\x80", header, function(one, other)
    lu.assertEquals(compare.random_state(one), state)
    lu.assertNil(compare.random_state(other))
    lu.assertTrue(compare.is_snapshot(one))
  end)
end

os.exit(lu.LuaUnit.run())
