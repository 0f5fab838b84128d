-- The module num under stock Lua: every operation against the same done with plain tables, over
-- random shapes. Prints its seed; CKPTLUA_TEST_SEED repeats a run.

local unit = require("luaunit")
local num = require("num")

local seed = tonumber(os.getenv("CKPTLUA_TEST_SEED") or os.time())
math.randomseed(seed)
print("seed " .. seed)

-- Sizes on both sides of: one element, what is kept in the userdata (64), a chunk (4096), what
-- other threads share (32768).
local sizes = { 0, 1, 2, 3, 31, 63, 64, 65, 100, 4095, 4096, 4097, 10000, 40000 }

-- luaunit finds the tests by their being global:
-- luacheck: globals TestNum

local function random_table(n)
  local t = {}
  for i = 1, n do
    t[i] = (math.random() - 0.5) * 2 ^ math.random(-20, 20)
  end
  return t
end

local function each_size(f)
  for _, n in ipairs(sizes) do
    f(n, random_table(n), random_table(n))
  end
end

local function assert_same(x, expected, what)
  local got = num.table(num.reshape(x, nil, 1))
  unit.assertEquals(#got, #expected, what)
  for i = 1, #expected do
    if got[i] ~= expected[i] and (got[i] == got[i] or expected[i] == expected[i]) then
      unit.fail(string.format("%s: element %d is %.17g, expected %.17g", what, i, got[i],
        expected[i]))
    end
  end
end

local function map(f, x, y)
  local t = {}
  for i = 1, #x do
    t[i] = f(x[i], y and y[i])
  end
  return t
end

-- The sum as host/num/kernel.h tells it: chunks of 4096, in each 32 lanes.
local function sum(t)
  local total = 0.0
  for first = 1, #t, 4096 do
    local lanes = {}
    for k = 0, 31 do
      lanes[k] = 0.0
    end
    for i = first, math.min(first + 4095, #t) do
      local k = (i - first) % 32
      lanes[k] = lanes[k] + t[i]
    end
    local apart = 16
    while apart > 0 do
      for k = 0, apart - 1 do
        lanes[k] = lanes[k] + lanes[k + apart]
      end
      apart = apart // 2
    end
    total = total + lanes[0]
  end
  return total
end

local function refuses(what, f, ...)
  local ok, message = pcall(f, ...)
  unit.assertFalse(ok, what)
  unit.assertStrContains(message, what)
end

TestNum = {}

function TestNum.test_operators()
  each_size(function(_, a, b)
    local x, y, t = num.vector(a), num.vector(b), math.random()
    assert_same(x, a, "vector")
    assert_same(x + y, map(function(p, q) return p + q end, a, b), "x + y")
    assert_same(x - y, map(function(p, q) return p - q end, a, b), "x - y")
    assert_same(-x, map(function(p) return -p end, a), "-x")
    assert_same(t * x, map(function(p) return t * p end, a), "t * x")
    assert_same(x * t, map(function(p) return t * p end, a), "x * t")
    assert_same(x / t, map(function(p) return p / t end, a), "x / t")
    assert_same(x + t, map(function(p) return p + t end, a), "x + t")
    assert_same(t - x, map(function(p) return t - p end, a), "t - x")
    assert_same(x + t * y, map(function(p, q) return p + t * q end, a, b), "x + t*y")
    assert_same(x - t * y, map(function(p, q) return p - t * q end, a, b), "x - t*y")
    assert_same(-x + t * y, map(function(p, q) return -p + t * q end, a, b), "-x + t*y")
    assert_same(3 * (t * x) - 2 * y, map(function(p, q) return 3 * (t * p) - 2 * q end, a, b),
      "3*(t*x) - 2*y")
    assert_same(x + x, map(function(p) return p + p end, a), "x + x")
    local z = t * x
    assert_same(z + z, map(function(p) return t * p + t * p end, a), "z + z")
    assert_same(-(-(t * x)), map(function(p) return t * p end, a), "-(-(t*x))")
  end)
end

-- What is computed later has the values of now.
function TestNum.test_values_of_now()
  for _, n in ipairs { 3, 100, 5000 } do
    local a, b = random_table(n), random_table(n)
    local x, y = num.vector(a), num.vector(b)
    local sum_now, scaled = x + y, 2 * x
    local both = x + 3 * y
    x[1], y[2] = 1000, 2000
    assert_same(sum_now, map(function(p, q) return p + q end, a, b), "x + y")
    assert_same(scaled, map(function(p) return 2 * p end, a), "2*x")
    assert_same(both, map(function(p, q) return p + 3 * q end, a, b), "x + 3*y")
    a[1], b[2] = 1000, 2000
    assert_same(x, a, "x")
    assert_same(y, b, "y")
    local copy = num.copy(x)
    copy[3] = 5
    assert_same(x, a, "x beside its copy")
    unit.assertEquals(copy[3], 5.0)
  end
end

function TestNum.test_sums()
  each_size(function(_, a, b)
    local x, y = num.vector(a), num.vector(b)
    local products = map(function(p, q) return p * q end, a, b)
    unit.assertEquals(num.sum(x), sum(a))
    unit.assertEquals(num.dot(x, y), sum(products))
    unit.assertEquals(x:t() * y, sum(products))
    unit.assertEquals(num.norm(x, 1), sum(map(math.abs, a)))
    unit.assertEquals(num.norm(x), math.sqrt(sum(map(function(p) return p * p end, a))))
    -- of what is pending
    local t = math.random()
    local z = map(function(p, q) return p - t * q end, a, b)
    unit.assertEquals(num.norm(x - t * y), math.sqrt(sum(map(function(p) return p * p end, z))))
    unit.assertEquals(num.dot(x - t * y, y), sum(map(function(p, q) return p * q end, z, b)))
    unit.assertEquals(num.dot(y, x - t * y), sum(map(function(p, q) return p * q end, z, b)))
    local pending = x - t * y
    unit.assertEquals(num.dot(pending, pending), sum(map(function(p) return p * p end, z)))
    assert_same(pending, z, "x - t*y")
    unit.assertEquals(num.sum(x - t * y), sum(z))
  end)
end

function TestNum.test_threads()
  local n = 300000
  local x, y = num.rand(n, 1), num.randn(n, 1)
  local before = num.threads()
  local results
  for threads = 1, 5 do
    num.threads(threads)
    unit.assertEquals(num.threads(), threads)
    local z = x - 0.3 * y
    local got = { num.dot(x, y), num.norm(z), num.sum(z), num.sum(num.exp(x)), z[1], z[n // 2],
      z[n] }
    unit.assertEquals(got, results or got)
    results = got
  end
  num.threads(before)
end

function TestNum.test_norms()
  local x = num.vector { 3, -4 }
  unit.assertEquals(num.norm(x), 5.0)
  unit.assertEquals(num.norm(x, 1), 7.0)
  unit.assertEquals(num.norm(x, math.huge), 4.0)
  unit.assertEquals(num.norm(x, "inf"), 4.0)
  unit.assertEquals(num.norm(x, -math.huge), 3.0)
  unit.assertAlmostEquals(num.norm(x, 3), (27 + 64) ^ (1 / 3), 1e-14)
  -- Neither overflow nor underflow, and the same bits as of the vector with another exponent.
  for _, e in ipairs { 1000, 1020, 600, -600, -1000, -1070 } do
    unit.assertEquals(num.norm(num.vector { 3 * 2.0 ^ e, -4 * 2.0 ^ e }), 5 * 2.0 ^ e)
  end
  unit.assertEquals(num.norm(num.vector { math.huge, 1 }), math.huge)
  unit.assertNotEquals(num.norm(num.vector { 1, 0 / 0 }), num.norm(num.vector { 1, 0 / 0 }))
  -- not a number stays so, wherever it is
  for _, p in ipairs { 1, 2, 3, math.huge, -math.huge } do
    for _, y in ipairs { num.vector { 0 / 0, 1, 2 }, num.vector { 2, 0 / 0, 1 } } do
      unit.assertNotEquals(num.norm(y, p), num.norm(y, p))
    end
  end
  local B = num.matrix { { 0 / 0, 1 }, { 1, 2 } }
  for _, p in ipairs { 1, "inf", "fro" } do
    unit.assertNotEquals(num.norm(B, p), num.norm(B, p))
    unit.assertNotEquals(num.norm(num.sparse(B), p), num.norm(num.sparse(B), p))
  end
  unit.assertEquals(num.norm(num.zeros(100, 1)), 0.0)
  unit.assertEquals(num.norm(num.zeros(0, 1)), 0.0)
  local A = num.matrix { { 1, -2 }, { 3, 4 } }
  unit.assertEquals(num.norm(A, 1), 6.0)
  unit.assertEquals(num.norm(A, "inf"), 7.0)
  unit.assertEquals(num.norm(A, "fro"), math.sqrt(30))
  unit.assertEquals(num.norm(num.sparse(A), 1), 6.0)
  unit.assertEquals(num.norm(num.sparse(A), "inf"), 7.0)
  unit.assertEquals(num.norm(num.sparse(A), "fro"), math.sqrt(30))
end

local function random_matrix(m, n)
  local rows = {}
  for i = 1, m do
    rows[i] = random_table(n)
  end
  return rows
end

local function plain_product(A, B, inner)
  local C = {}
  for i = 1, #A do
    C[i] = {}
    for j = 1, #(B[1] or {}) do
      local s = 0.0
      for k = 1, inner do
        s = s + A[i][k] * B[k][j]
      end
      C[i][j] = s
    end
  end
  return C
end

function TestNum.test_products()
  local shapes = { { 2, 3, 4 }, { 5, 1, 5 }, { 30, 40, 20 }, { 2, 9, 1 }, { 100, 80, 1 } }
  for _, shape in ipairs(shapes) do
    local m, k, n = table.unpack(shape)
    local a, b = random_matrix(m, k), random_matrix(k, n)
    local A, B = num.matrix(a), num.matrix(b)
    local expected = num.matrix(plain_product(a, b, k))
    unit.assertTrue(A * B == expected)
    unit.assertTrue(num.isequal(num.full(num.sparse(A) * num.sparse(B)), expected))
    local difference = A * num.sparse(B) - expected
    unit.assertTrue(num.norm(difference, "fro") < 1e-14 * num.norm(expected, "fro"))
    difference = num.sparse(A) * B - expected
    unit.assertTrue(num.norm(difference, "fro") < 1e-14 * num.norm(expected, "fro"))
  end
  unit.assertEquals(num.vector { 1, 2, 3 }:t() * num.vector { 4, 5, 6 }, 32.0)
  unit.assertTrue(num.ones(3, 1) * 2 == num.fill(2, 3, 1))
end

-- A random sparse matrix, also as a table of rows.
local function random_sparse(m, n, count)
  local i, j, v, rows = {}, {}, {}, {}
  for r = 1, m do
    rows[r] = {}
    for c = 1, n do
      rows[r][c] = 0.0
    end
  end
  for k = 1, count do
    i[k], j[k], v[k] = math.random(m), math.random(n), math.random(-9, 9) / 4
    rows[i[k]][j[k]] = rows[i[k]][j[k]] + v[k]
  end
  return num.sparse(num.vector(i), num.vector(j), num.vector(v), m, n), rows
end

-- Rows times x as host/num/kernel.h tells it: four sums in turn.
local function sparse_product(rows, x)
  local z = {}
  for i, row in ipairs(rows) do
    local products = {}
    for j, value in ipairs(type(row) == "table" and row or { row }) do
      if value ~= 0 then products[#products + 1] = value * x[j] end
    end
    local sums = { 0.0, 0.0, 0.0, 0.0 }
    for j = 1, #products do
      local k = j <= #products // 4 * 4 and (j - 1) % 4 + 1 or 1
      sums[k] = sums[k] + products[j]
    end
    z[i] = (sums[1] + sums[3]) + (sums[2] + sums[4])
  end
  return z
end

function TestNum.test_sparse()
  for _ = 1, 30 do
    local m, n = math.random(1, 40), math.random(1, 40)
    local A, rows = random_sparse(m, n, math.random(0, 200))
    local B, other = random_sparse(m, n, math.random(0, 200))
    local full, full_other = num.matrix(rows), num.matrix(other)
    unit.assertTrue(num.full(A) == full)
    unit.assertTrue(A == full and A == num.sparse(full))
    unit.assertTrue(num.full(A:t()) == full:t())
    unit.assertTrue(num.full(A:t():t()) == full)
    unit.assertTrue(num.full(A + B) == full + full_other)
    unit.assertTrue(num.full(A - B) == full - full_other)
    unit.assertTrue(A + full_other == full + full_other)
    unit.assertTrue(full_other - A == full_other - full)
    unit.assertTrue(num.full(3 * A) == 3 * full and num.full(A / 4) == full / 4)
    unit.assertTrue(num.full(-A) == -full and num.full(num.abs(A)) == num.abs(full))
    unit.assertEquals(num.nnz(A), num.nnz(full))
    local x, y = num.rand(n, 1), num.rand(m, 1)
    if m > 1 and n > 1 then -- a vector of one element counts as a number
      assert_same(A * x, sparse_product(rows, x), "A*x")
      assert_same(A:t() * y, sparse_product(full:t():table(), y), "A:t()*y")
    end
    unit.assertTrue(num.norm(num.sum(A) - num.sum(full)) < 1e-12)
    unit.assertTrue(num.norm(num.sum(A, 2) - num.sum(full, 2)) < 1e-12)
    unit.assertTrue(num.diag(A) == num.diag(full) or m == 1 or n == 1)
    local i, j, v = num.triplets(A)
    unit.assertTrue(num.sparse(i, j, v, m, n) == A)
    local r, c = math.random(m), math.random(n)
    unit.assertEquals(A:get(r, c), rows[r][c])
    unit.assertEquals(A[(c - 1) * m + r], rows[r][c])
    local copy = num.copy(A)
    A:set(r, c, 77)
    full:set(r, c, 77)
    unit.assertTrue(num.full(A) == full)
    unit.assertEquals(copy:get(r, c), rows[r][c])
    local part_rows, part_cols = num.randi(m, 1, 5), num.randi(n, 1, 7)
    unit.assertTrue(num.full(A:sub(part_rows, part_cols)) == full:sub(part_rows, part_cols))
  end
  unit.assertTrue(num.full(num.speye(3, 2)) == num.eye(3, 2))
  unit.assertEquals(num.nnz(num.sparse(3, 4)), 0)
end

-- A large one: several threads, and sums in the same pass.
function TestNum.test_sparse_large()
  local n = 100000
  local k = num.range(1, n)
  local first, second = num.range(1, n - 1), num.range(2, n)
  local A = num.sparse(k, k, 4, n, n) + num.sparse(second, first, -1, n, n)
    + num.sparse(first, second, -1, n, n)
  local x = num.rand(n, 1)
  local z = A * x
  local expected = {}
  local t = num.table(x)
  for i = 1, n do
    expected[i] = 4 * t[i]
    if i > 1 then expected[i] = -t[i - 1] + 4 * t[i] end
    if i < n then expected[i] = expected[i] - t[i + 1] end
  end
  unit.assertEquals(num.dot(x, z), sum(map(function(p, q) return p * q end, t, expected)))
  assert_same(z, expected, "A*x")
  unit.assertTrue(A:t() * x == z)
end

function TestNum.test_functions()
  local names = {
    abs = math.abs, exp = math.exp, sin = math.sin, cos = math.cos, tan = math.tan,
    sqrt = function(v) return v < 0 and 0 / 0 or math.sqrt(v) end,
    floor = function(v) return math.floor(v) + 0.0 end,
    ceil = function(v) return math.ceil(v) + 0.0 end,
  }
  each_size(function(_, a, b)
    local x, y = num.vector(a), num.vector(b)
    for name, f in pairs(names) do
      assert_same(num[name](x), map(f, a), name)
    end
    assert_same(num.times(x, y), map(function(p, q) return p * q end, a, b), "times")
    assert_same(num.rdivide(x, y), map(function(p, q) return p / q end, a, b), "rdivide")
    assert_same(num.max(x, y), map(math.max, a, b), "max")
    assert_same(num.min(x, 0), map(function(p) return math.min(p, 0.0) end, a), "min")
    assert_same(num.atan2(x, y), map(math.atan, a, b), "atan2")
    assert_same(num.lt(x, y), map(function(p, q) return p < q and 1.0 or 0.0 end, a, b), "lt")
    assert_same(num.mod(x, 3), map(function(p) return p % 3 end, a), "mod")
  end)
  unit.assertEquals(num.sqrt(2), math.sqrt(2))
  unit.assertEquals(num.round(-2.5), -3.0)
  unit.assertEquals(num.fix(-2.5), -2.0)
  unit.assertEquals(num.sign(num.vector { -2, 0, 3 }):table(), { -1.0, 0.0, 1.0 })
  unit.assertEquals(num.power(num.vector { 2, 3 }, 2):table(), { 4.0, 9.0 })
end

function TestNum.test_along_dimensions()
  local A = num.matrix { { 1, 5, 3 }, { 4, 2, 6 } }
  unit.assertEquals(num.sum(A):table(), { 5.0, 7.0, 9.0 })
  unit.assertEquals(num.sum(A, 2):table(), { 9.0, 12.0 })
  unit.assertEquals(num.mean(A):table(), { 2.5, 3.5, 4.5 })
  unit.assertEquals(num.prod(A, 2):table(), { 15.0, 48.0 })
  local values, places = num.max(A)
  unit.assertEquals({ values:table(), places:table() }, { { 4.0, 5.0, 6.0 }, { 2.0, 1.0, 2.0 } })
  unit.assertEquals({ num.min(num.vector { 3, 1, 2, 1 }) }, { 1.0, 2 })
  unit.assertEquals({ num.max(num.vector { 0 / 0, 1, 2 }) }, { 2.0, 3 })
  unit.assertEquals(num.cumsum(A):table(), { { 1.0, 5.0, 3.0 }, { 5.0, 7.0, 9.0 } })
  unit.assertEquals(num.cumprod(A, 2):table(), { { 1.0, 5.0, 15.0 }, { 4.0, 8.0, 48.0 } })
  unit.assertEquals(num.any(num.vector { 0, 0 }), false)
  unit.assertEquals(num.any(num.vector { 0, 2 }), true)
  unit.assertEquals(num.all(num.vector { 1, 2 }), true)
  unit.assertEquals(num.all(num.gt(A, 1)):table(), { 0.0, 1.0, 1.0 })
  unit.assertEquals(num.sum(num.zeros(0, 1)), 0.0)
  unit.assertEquals(num.sum(num.zeros(0, 3)):table(), { 0.0, 0.0, 0.0 })
end

function TestNum.test_making()
  unit.assertEquals({ num.size(num.zeros(3)) }, { 3, 3 })
  unit.assertEquals({ num.size(num.ones(2, 5)) }, { 2, 5 })
  unit.assertEquals(num.eye(2):table(), { { 1.0, 0.0 }, { 0.0, 1.0 } })
  unit.assertEquals(num.linspace(0, 1, 5):table(), { 0.0, 0.25, 0.5, 0.75, 1.0 })
  unit.assertEquals(num.range(1, 4):table(), { 1.0, 2.0, 3.0, 4.0 })
  unit.assertEquals(num.range(0, 1, 0.1)[11], 1.0)
  unit.assertEquals(num.range(5, 1, -2):table(), { 5.0, 3.0, 1.0 })
  unit.assertEquals(#num.range(2, 1), 0)
  unit.assertEquals(num.repmat(num.vector { 1, 2 }, 2, 2):table(),
    { { 1.0, 1.0 }, { 2.0, 2.0 }, { 1.0, 1.0 }, { 2.0, 2.0 } })
  unit.assertEquals(num.reshape(num.range(1, 6), 2, 3):table(),
    { { 1.0, 3.0, 5.0 }, { 2.0, 4.0, 6.0 } })
  unit.assertEquals((num.vector { 1, 2 } .. num.vector { 3 }):table(), { 1.0, 2.0, 3.0 })
  unit.assertEquals((num.range(1, 2) .. 7):table(), { 1.0, 2.0, 7.0 })
  unit.assertEquals(num.vertcat(num.range(1, 2), num.range(3, 4)):table(),
    { { 1.0, 2.0 }, { 3.0, 4.0 } })
  unit.assertEquals(num.diag(num.vector { 1, 2 }):table(), { { 1.0, 0.0 }, { 0.0, 2.0 } })
  local sorted = num.randperm(50):table()
  table.sort(sorted)
  unit.assertEquals(sorted, num.range(1, 50):table())
end

-- Random numbers are those of math.random, whose state goes on.
function TestNum.test_random()
  math.randomseed(42)
  local expected = {}
  for i = 1, 70 do
    expected[i] = math.random()
  end
  local next_one = math.random()
  math.randomseed(42)
  assert_same(num.rand(70, 1), expected, "rand")
  unit.assertEquals(math.random(), next_one)
  math.randomseed(7)
  local integers = {}
  for i = 1, 200 do
    integers[i] = math.random(10) + 0.0
  end
  math.randomseed(7)
  assert_same(num.randi(10, 200, 1), integers, "randi")
  local x = num.randn(20000, 1)
  unit.assertTrue(math.abs(num.mean(x)) < 0.05)
  unit.assertTrue(math.abs(num.norm(x) / math.sqrt(20000) - 1) < 0.05)
  math.randomseed(seed + 1)
end

function TestNum.test_parts()
  local A = num.reshape(num.range(1, 12), 3, 4)
  unit.assertEquals(A:get(2, 3), 8.0)
  unit.assertEquals(A[8], 8.0)
  unit.assertEquals(#A, 12)
  unit.assertEquals(A:sub(2, nil):table(), { 2.0, 5.0, 8.0, 11.0 })
  unit.assertEquals(A:sub(num.range(1, 2), num.vector { 4, 1 }):table(),
    { { 10.0, 1.0 }, { 11.0, 2.0 } })
  A:put(nil, 1, 0)
  A:put(1, num.range(2, 3), num.range(8, 9))
  unit.assertEquals(A:table(),
    { { 0.0, 8.0, 9.0, 10.0 }, { 0.0, 5.0, 8.0, 11.0 }, { 0.0, 6.0, 9.0, 12.0 } })
  A:put(num.vector { 3, 2, 1 }, nil, A)
  unit.assertEquals(A:sub(1, nil):table(), { 0.0, 6.0, 9.0, 12.0 })
  local x = num.range(10, 20)
  unit.assertEquals(x[num.vector { 3, 1 }]:table(), { 12.0, 10.0 })
  unit.assertEquals(num.vector { 5, 6, 7 }[num.range(2, 3)]:table(), { 6.0, 7.0 })
end

function TestNum.test_arranged()
  local x = num.vector { 3, 0, -1, 0 / 0, 3, 2 }
  local sorted, places = num.sort(x)
  unit.assertEquals(places:table(), { 3.0, 2.0, 6.0, 1.0, 5.0, 4.0 })
  unit.assertEquals(sorted[1], -1.0)
  unit.assertNotEquals(sorted[6], sorted[6])
  unit.assertEquals(select(2, num.sort(x, "descend")):table(), { 1.0, 5.0, 6.0, 2.0, 3.0, 4.0 })
  local A = num.matrix { { 3, 1, 2 }, { 0, 5, 4 } }
  unit.assertEquals(num.sort(A):table(), { { 0.0, 1.0, 2.0 }, { 3.0, 5.0, 4.0 } })
  unit.assertEquals(num.sort(A, 2, "descend"):table(), { { 3.0, 2.0, 1.0 }, { 5.0, 4.0, 0.0 } })
  local random = random_table(5000)
  sorted = num.sort(num.vector(random))
  table.sort(random)
  assert_same(sorted, random, "sort")
  unit.assertEquals(num.find(A):table(), { 1.0, 3.0, 4.0, 5.0, 6.0 })
  unit.assertEquals(num.find(num.sparse(A)):table(), { 1.0, 3.0, 4.0, 5.0, 6.0 })
  unit.assertEquals({ num.size(num.find(num.range(0, 2))) }, { 1, 2 })
  unit.assertEquals(num.tril(A):table(), { { 3.0, 0.0, 0.0 }, { 0.0, 5.0, 0.0 } })
  unit.assertEquals(num.triu(A, 1):table(), { { 0.0, 1.0, 2.0 }, { 0.0, 0.0, 4.0 } })
  for _ = 1, 10 do
    local B = random_sparse(math.random(1, 5), math.random(1, 5), math.random(0, 12))
    local full = num.full(B)
    local C = num.full(random_sparse(math.random(1, 4), math.random(1, 4), 8))
    unit.assertTrue(num.kron(B, C) == num.kron(full, C) and num.kron(C, B) == num.kron(C, full))
    unit.assertTrue(num.tril(B, 1) == num.tril(full, 1) and num.triu(B) == num.triu(full))
    unit.assertTrue(num.horzcat(B, full, B) == num.horzcat(full, full, full))
    unit.assertTrue(num.vertcat(full, B) == num.vertcat(full, full))
  end
  local K = num.kron(num.eye(2), num.matrix { { 1, 2 } })
  unit.assertEquals(K:table(), { { 1.0, 2.0, 0.0, 0.0 }, { 0.0, 0.0, 1.0, 2.0 } })
  -- the Laplacian on a square, as one writes it
  local T, I = num.gallery("tridiag", 6), num.speye(6)
  unit.assertTrue(num.kron(I, T) + num.kron(T, I) == num.gallery("poisson", 6))
  refuses("num.horzcat: 2x3 and 6x1 do not fit", num.horzcat, A, x)
end

function TestNum.test_errors()
  local x, y, A = num.zeros(3, 1), num.zeros(4, 1), num.zeros(2, 3)
  refuses("x + y: 3x1 and 4x1 do not fit", function() return x + y end)
  refuses("x - y: 3x1 and 2x3 do not fit", function() return x - A end)
  refuses("x * y: 3x1 and 4x1 do not fit", function() return x * y end)
  refuses("num.times(x, y)", function() return x * x end)
  refuses("num.dot: 3x1 and 4x1 do not fit", num.dot, x, y)
  refuses("num.rdivide(x, y)", function() return x / x end)
  refuses("element 4 is outside: there are 3", function() return x[4] end)
  refuses("element 0 is outside: there are 3", function() x[0] = 1 end)
  refuses("row 3 is outside: there are 2", A.get, A, 3, 1)
  refuses("number expected", function() x[1] = "a" end)
  refuses("num array expected", num.sort or num.cumsum, "x")
  refuses("is no shape", num.zeros, 1 << 40, 1 << 40)
  refuses("no memory for an array of 10000000x10000000", num.zeros, 10000000)
  refuses("row 2 has 1 elements, the first has 2", num.matrix, { { 1, 2 }, { 3 } })
  refuses("element 2 is string", num.vector, { 1, "a" })
  refuses("do not fill 2x2", num.reshape, x, 2, 2)
  refuses("num.full(A)", function() return num.speye(3) + 1 end)
  refuses("num.full(A)", num.exp, num.speye(3))
  refuses("element 2 is 4.0, no index from 1 to 3", num.sparse, num.vector { 1, 4 }, 1, 1, 3, 3)
  refuses("there must be as many of each", num.sparse, num.range(1, 2), num.range(1, 3), 1)
  refuses("a dimension is 1 or 2", num.sum, A, 3)
  unit.assertEquals(getmetatable(x), false)
end

function TestNum.test_shown()
  unit.assertEquals(tostring(num.vector { 1, 2.5 }), "vector 2\n            1\n          2.5")
  unit.assertEquals(num.describe(num.speye(4)), "sparse matrix 4x4, 4 nonzeros")
  unit.assertStrContains(tostring(num.rand(100, 100)), "...")
  unit.assertStrContains(tostring(num.speye(2)), "(2, 2)  1")
end

-- The matrix of examples/conjgrad/wathen.lua, and that others are what their definitions say.
function TestNum.test_gallery()
  math.randomseed(5)
  local A = num.gallery("wathen", 4, 3)
  local n = 3 * 4 * 3 + 2 * 4 + 2 * 3 + 1
  unit.assertEquals({ num.size(A) }, { n, n })
  unit.assertTrue(A == A:t())
  math.randomseed(5)
  local densities = {}
  for q = 1, 12 do densities[q] = 100 * math.random() end
  -- the sum of a mass matrix is the mass; the area of an element is 4
  local total = 0
  for q = 1, 12 do total = total + densities[q] end
  unit.assertAlmostEquals(num.sum(num.sum(A)), total * 4, 1e-9)
  unit.assertAlmostEquals(A:get(1, 1), densities[1] * 6 / 45, 1e-12)
  local P = num.full(num.gallery("poisson", 3))
  unit.assertEquals(P:sub(5, nil):table(), { 0.0, -1.0, 0.0, -1.0, 4.0, -1.0, 0.0, -1.0, 0.0 })
  unit.assertEquals(num.norm(num.gallery("neumann", 4) * num.ones(16, 1)), 0.0)
  unit.assertEquals(num.full(num.gallery("tridiag", 3)):table(),
    { { 2.0, -1.0, 0.0 }, { -1.0, 2.0, -1.0 }, { 0.0, -1.0, 2.0 } })
  unit.assertEquals(num.full(num.gallery("grcar", 3, 1)):table(),
    { { 1.0, 1.0, 0.0 }, { -1.0, 1.0, 1.0 }, { 0.0, -1.0, 1.0 } })
  unit.assertEquals(num.gallery("minij", 3):table(),
    { { 1.0, 1.0, 1.0 }, { 1.0, 2.0, 2.0 }, { 1.0, 2.0, 3.0 } })
  local U = num.eye(4)
  for i = 1, 4 do for j = i + 1, 4 do U:set(i, j, -1) end end
  unit.assertTrue(num.gallery("moler", 4) == U:t() * U)
  unit.assertEquals(num.gallery("lehmer", 2):table(), { { 1.0, 0.5 }, { 0.5, 1.0 } })
  unit.assertEquals(num.gallery("kms", 2):table(), { { 1.0, 0.5 }, { 0.5, 1.0 } })
  unit.assertEquals(num.gallery("gcdmat", 4):get(2, 4), 2.0)
  refuses("num.gallery has no 'wathem', but wathen, poisson", num.gallery, "wathem", 3)
end

local function in_file(text, f, ending)
  local name = os.tmpname()
  os.remove(name)
  name = name .. (ending or ".mtx")
  if text then
    local file <close> = assert(io.open(name, "wb"))
    file:write(text)
  end
  local result = table.pack(pcall(f, name))
  local leftover = io.open(name .. ".tmp")
  os.remove(name)
  unit.assertNil(leftover)
  if not result[1] then error(result[2], 0) end
  return table.unpack(result, 2, result.n)
end

-- What is written is read again, and by lua/sparse.lua, which has been tested with files of others.
function TestNum.test_matrix_market()
  package.path = (arg[0]:match("^(.*/)") or "./") .. "../../lua/?.lua;" .. package.path
  local sparse = require "sparse"
  for _ = 1, 20 do
    local m, n = math.random(1, 9), math.random(1, 9)
    local A, rows = random_sparse(m, n, math.random(0, 30))
    in_file(nil, function(name)
      num.save(name, A)
      unit.assertTrue(num.load(name) == A)
      local B = sparse.read_matrix(name)
      for i = 1, m do
        local e = {}
        for k = 1, n do e[k] = 0 end
        for k = 1, n do
          e[k] = 1
          unit.assertEquals((B * sparse.vector(e))[i], rows[i][k])
          e[k] = 0
        end
      end
    end)
    in_file(nil, function(name)
      local x = num.randn(m, n)
      num.save(name, x)
      unit.assertTrue(num.load(name) == x)
    end)
  end
  local symmetric = num.gallery("wathen", 3, 2)
  in_file(nil, function(name)
    num.save(name, symmetric)
    local file <close> = assert(io.open(name))
    unit.assertStrContains(file:read(), "symmetric")
    unit.assertTrue(num.load(name) == symmetric)
  end)
  local function loaded(text)
    return num.full(in_file(text, num.load)):table()
  end
  unit.assertEquals(loaded("%%MatrixMarket matrix coordinate pattern general\n% c\n2 2 1\n\n2 1\n"),
    { { 0.0, 0.0 }, { 1.0, 0.0 } })
  unit.assertEquals(
    loaded("%%matrixmarket MATRIX coordinate integer skew-symmetric\r\n2 2 1\r\n2 1 5\r\n"),
    { { 0.0, -5.0 }, { 5.0, 0.0 } })
  unit.assertEquals(loaded("%%MatrixMarket matrix array real symmetric\n2 2\n1\n2\n3\n"),
    { { 1.0, 2.0 }, { 2.0, 3.0 } })
end

function TestNum.test_matrix_market_refused()
  local head = "%%MatrixMarket matrix coordinate real general\n"
  local cases = {
    { "", ":1: no Matrix Market file" },
    { "%%MatrixMarket matrix coordinate complex general\n", ":1: elements of type 'complex'" },
    { "%%MatrixMarket vector coordinate real general\n", ":1: 'vector' is not supported" },
    { "%%MatrixMarket matrix coordinate real hermitian\n", ":1: 'hermitian' is not supported" },
    { head, ":2: the file ends before the line with the sizes" },
    { head .. "2 2\n", ":2: no number of elements" },
    { head .. "2 2 1000000000000\n", ":2: number of elements 1000000000000 is outside" },
    { head .. "2 99999999999 1\n", ":2: number of columns 99999999999 is outside" },
    { head .. "3 3 2\n1 1 1\n4 1 1\n", ":4: row 4 is outside of 1 to 3" },
    { head .. "3 3 2\n1 1 1\n", ":4: the file ends after 1 elements" },
    { head .. "3 3 1\n1 1 1\n2 2 2\n", ":4: more elements than the file says" },
    { head .. "3 3 1\n1 1 x\n", ":3: no number where one was expected: ' x'" },
    { head .. "3 3 1\n1 1 1 1\n", ":3: more on the line than expected" },
    { head .. "3 3 1\n1.5 1 1\n", ":3: no row where one was expected" },
    { head .. ("1"):rep(5000) .. "\n", ":2: the line is longer than" },
    { "%%MatrixMarket matrix coordinate real symmetric\n2 2 1\n1 2 1\n", ":3: (1, 2) is above" },
    { "%%MatrixMarket matrix coordinate real symmetric\n2 3 1\n1 1 1\n", ":2: 2x3 cannot be" },
    { "%%MatrixMarket matrix array real general\n100000 100000\n1\n", ":2: the file is too short" },
    { "%%MatrixMarket matrix array real general\n2 1\n1\n", ":4: the file ends at element (2, 1)" },
  }
  for _, case in ipairs(cases) do
    refuses(case[2], in_file, case[1], num.load)
  end
  refuses("No such file", num.load, "nowhere/x.mtx")
  refuses("the ending tells no format", num.load, "x.dat")
  refuses("No such file", num.save, "nowhere/x.mtx", num.eye(2))
end

-- A file as NumPy writes it.
local function npy(descr, order, shape, data, version)
  local header = string.format("{'descr': '%s', 'fortran_order': %s, 'shape': %s, }", descr, order,
    shape)
  header = header .. (" "):rep(-(#header + 11) % 64) .. "\n"
  local length = string.pack(version == 1 and "<I2" or "<I4", #header)
  return "\x93NUMPY" .. string.char(version, 0) .. length .. header .. data
end

function TestNum.test_npy()
  local function loaded(...)
    return in_file(npy(...), num.load, ".npy"):table()
  end
  for version = 1, 3 do
    unit.assertEquals(loaded("<f8", "False", "(2, 3)", string.pack("<dddddd", 1, 2, 3, 4, 5, 6),
      version), { { 1.0, 2.0, 3.0 }, { 4.0, 5.0, 6.0 } })
  end
  unit.assertEquals(loaded("<f8", "True", "(2, 3)", string.pack("<dddddd", 1, 4, 2, 5, 3, 6), 1),
    { { 1.0, 2.0, 3.0 }, { 4.0, 5.0, 6.0 } })
  unit.assertEquals(loaded(">f8", "False", "(2,)", string.pack(">dd", 1.5, -2), 1), { 1.5, -2.0 })
  unit.assertEquals(loaded("<f4", "False", "(2,)", string.pack("<ff", 1.5, -2), 1), { 1.5, -2.0 })
  unit.assertEquals(loaded("|i1", "False", "(1, 2)", string.pack("bb", -1, 2), 1), { -1.0, 2.0 })
  unit.assertEquals(loaded(">i2", "False", "(2,)", string.pack(">i2i2", -300, 7), 1),
    { -300.0, 7.0 })
  unit.assertEquals(loaded("<u4", "False", "(1,)", string.pack("<I4", 4294967295), 1),
    { 4294967295.0 })
  unit.assertEquals(loaded("<i8", "False", "(2,)", string.pack("<i8i8", -5, 1 << 53), 1),
    { -5.0, 2.0 ^ 53 })
  unit.assertEquals(loaded("|b1", "False", "(3,)", "\0\1\1", 1), { 0.0, 1.0, 1.0 })
  unit.assertEquals(loaded("<f8", "False", "()", string.pack("<d", 7), 1), { 7.0 })
  unit.assertEquals(loaded("<f8", "False", "(0, 3)", "", 1), {})
  for _, x in ipairs { num.randn(5, 1), num.randn(1, 5), num.randn(30, 40), num.zeros(0, 2) } do
    in_file(nil, function(name)
      num.save(name, x)
      local y = num.load(name)
      unit.assertTrue(y == x)
      unit.assertEquals({ num.size(y) }, { num.size(x) })
      local file <close> = assert(io.open(name, "rb"))
      unit.assertEquals((file:seek("end") - 8 * #x) % 64, 0)
    end, ".npy")
  end
end

function TestNum.test_npy_refused()
  local good = npy("<f8", "False", "(2,)", string.pack("<dd", 1, 2), 1)
  local cases = {
    { "", "at byte 0: the file ends too early" },
    { "NUMPY, no", "at byte 0: no .npy file" },
    { "\x93NUMPY\4\0\0\0\0\0", "at byte 0: no .npy file" },
    { good:sub(1, 50), "at byte 50: the file ends too early" },
    { good:sub(1, -2), "the file is too short for its shape" },
    { good .. "x", "at byte 144: more bytes than the shape says" },
    { npy("<c16", "False", "(2,)", "", 1), "elements of type '<c16' are not supported" },
    { npy("|O", "False", "(2,)", "", 1), "elements of type '|O' are not supported" },
    { npy("<f8", "False", "(2, 2, 2)", "", 1), "more than two dimensions" },
    { npy("<f8", "False", "(-2,)", "", 1), "the shape is none" },
    { npy("<f8", "False", "2", "", 1), "the shape is none" },
    { npy("<f8", "False", "(99999999999, 99999999999)", "", 1), "too short for its shape" },
    { npy("<i8", "False", "(1,)", string.pack("<i8", (1 << 53) + 1), 1), "beyond 2^53" },
    { "\x93NUMPY\2\0\xff\xff\xff\xff", "at byte 12: the header is too long" },
    { "\x93NUMPY\1\0\4\0{}  ", "at byte 14: the header has no 'descr'" },
  }
  for _, case in ipairs(cases) do
    refuses(case[2], in_file, case[1], num.load, ".npy")
  end
  refuses("a sparse matrix has no .npy file", num.save, "x.npy", num.speye(2))
end

-- Memory comes back.
function TestNum.test_memory()
  local x = num.zeros(1000000, 1)
  for _ = 1, 150 do
    x = x + 1
  end
  unit.assertEquals(x[1], 150.0)
  local peak
  for line in io.lines("/proc/self/status") do
    peak = peak or line:match("^VmHWM:%s*(%d+) kB")
  end
  if os.getenv("CKPTLUA_SANITIZED") ~= "1" then -- which keeps what is freed
    unit.assertTrue(tonumber(peak) < 300000, peak)
  end
end

os.exit(unit.LuaUnit.run())
