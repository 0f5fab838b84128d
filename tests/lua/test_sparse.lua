-- lua/sparse.lua and the generator of Wathen matrices, under stock Lua:
--     lua5.4 tests/lua/test_sparse.lua
-- Random cases print their seed; CKPTLUA_TEST_SEED replays it.

local top = (arg[0]:match("^(.*/)") or "./") .. "../../"
package.path = top .. "lua/?.lua;" .. package.path

local unit = require "luaunit"
local sparse = require "sparse"

local seed = math.tointeger(tonumber(os.getenv("CKPTLUA_TEST_SEED") or os.time()))
print("CKPTLUA_TEST_SEED=" .. seed)
math.randomseed(seed)

-- luaunit finds the tests by their being global:
-- luacheck: globals TestVector TestMatrix TestFile TestWathen

-- A file that is gone when the variable that holds it is closed.
local function scratch(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "w"))
  file:write(text or "")
  file:close()
  return setmetatable({ name = name }, {
    __close = function()
      os.remove(name)
    end,
  })
end

local function content(name)
  local file <close> = assert(io.open(name, "rb"))
  return file:read("a")
end

-- A matrix as a table of rows, and back.
local function dense_from(A)
  local dense = {}
  for i = 1, A.rows do
    dense[i] = {}
    for j = 1, A.columns do
      dense[i][j] = A:get(i, j)
    end
  end
  return dense
end

local function from_dense(dense)
  local i, j, value = {}, {}, {}
  for r = 1, #dense do
    for c = 1, #dense[1] do
      if dense[r][c] ~= 0 then
        i[#i + 1], j[#j + 1], value[#value + 1] = r, c, dense[r][c]
      end
    end
  end
  return sparse.matrix(#dense, #dense[1], i, j, value)
end

local function random_dense(rows, columns)
  local dense = {}
  for i = 1, rows do
    dense[i] = {}
    for j = 1, columns do
      dense[i][j] = math.random() < 0.3 and math.random() - 0.5 or 0
    end
  end
  return dense
end

local function random_vector(n)
  local list = {}
  for i = 1, n do
    list[i] = math.random() - 0.5
  end
  return sparse.vector(list)
end

-- The elements as a plain list, so that luaunit compares them alone.
local function list(x)
  return table.move(x, 1, #x, 1, {})
end

---------------------------------------------------------------- vectors

TestVector = {}

function TestVector.test_operators()
  local x, y = sparse.vector { 1, 2, 3 }, sparse.vector { 0.5, -1, 4 }
  unit.assertEquals(list(x + y), { 1.5, 1, 7 })
  unit.assertEquals(list(x - y), { 0.5, 3, -1 })
  unit.assertEquals(list(-x), { -1, -2, -3 })
  unit.assertEquals(list(2 * x), { 2, 4, 6 })
  unit.assertEquals(list(x * 2), { 2, 4, 6 })
  unit.assertEquals(list(x), { 1, 2, 3 })
  unit.assertEquals(sparse.dot(x, y), 10.5)
  unit.assertEquals(sparse.norm(sparse.vector { 3, 4 }), 5)
end

function TestVector.test_elements_are_floats()
  local x = sparse.vector { 1, math.maxinteger }
  unit.assertEquals(math.type(x[1]), "float")
  unit.assertEquals((x + x)[2], 2.0 ^ 64)
  unit.assertEquals(math.type((2 * x)[1]), "float")
end

function TestVector.test_sums_begin_at_the_first_element()
  -- In any other order the small elements would not be lost.
  local x = sparse.vector { 2.0 ^ 53, 1, 1, 1, 1 }
  local ones = sparse.vector { 1, 1, 1, 1, 1 }
  unit.assertEquals(sparse.dot(x, ones), 2.0 ^ 53)
  local A = sparse.matrix(1, 5, { 1, 1, 1, 1, 1 }, { 5, 4, 3, 2, 1 }, { 1, 1, 1, 1, 2.0 ^ 53 })
  unit.assertEquals((A * ones)[1], 2.0 ^ 53)
end

function TestVector.test_result_is_a_copy()
  local from = { 1, 2 }
  local x = sparse.vector(from)
  from[1] = 7
  unit.assertEquals(x[1], 1)
end

function TestVector.test_errors_name_both_and_blame_the_caller()
  local x, y = sparse.vector { 1, 2, 3 }, sparse.vector { 1, 2 }
  local A = from_dense { { 1, 2, 3 }, { 4, 5, 6 } }
  local cases = {
    { function() return x + y end, "cannot add a vector of 3 and a vector of 2" },
    { function() return x + 1 end, "cannot add a vector of 3 and a number" },
    { function() return 1 + x end, "cannot add a number and a vector of 3" },
    { function() return x - y end, "cannot subtract a vector of 2 from a vector of 3" },
    { function() return x * x end, "cannot multiply a vector of 3 and a vector of 3" },
    { function() return x * A end, "cannot multiply a vector of 3 and a 2x3 matrix" },
    { function() return x * "2" end, "cannot multiply a vector of 3 and a string" },
    { function() return A * y end, "a 2x3 matrix and a vector of 2; expected a vector of 3" },
    { function() return A * 2 end, "cannot multiply a 2x3 matrix and a number" },
    { function() return 2 * A end, "cannot multiply a number and a 2x3 matrix" },
    { function() local d = sparse.dot(x, y) return d end, "a vector of 3 and a vector of 2" },
    { function() local d = sparse.dot(x, 3) return d end, "a vector of 3 and a number" },
    { function() local d = sparse.norm({}) return d end, "found a table; expected a vector" },
    { function() local d = sparse.vector { 1, "2" } return d end, "element 2 is a string" },
  }
  for _, case in ipairs(cases) do
    local good, message = pcall(case[1])
    unit.assertFalse(good)
    unit.assertStrContains(message, case[2])
    unit.assertStrContains(message, "test_sparse.lua:")
  end
end

function TestVector.test_tostring()
  unit.assertEquals(tostring(sparse.vector { 1, 2.5 }), "vector of 2: 1, 2.5")
  unit.assertEquals(tostring(sparse.vector { 1, 2, 3, 4, 5, 6, 7 }),
    "vector of 7: 1, 2, 3, 4, 5, 6, ...")
end

---------------------------------------------------------------- matrices

TestMatrix = {}

function TestMatrix.test_compressed_rows()
  local A = sparse.matrix(3, 4, { 3, 1, 3, 1 }, { 4, 2, 1, 1 }, { 34, 12, 31, 11 })
  unit.assertEquals(A.first, { 1, 3, 3, 5 })
  unit.assertEquals(A.column, { 1, 2, 1, 4 })
  unit.assertEquals(A.value, { 11, 12, 31, 34 })
  unit.assertEquals(tostring(A), "sparse matrix 3x4, 4 nonzeros")
end

function TestMatrix.test_duplicates_are_added_in_order()
  local A = sparse.matrix(2, 2, { 2, 1, 2, 2 }, { 2, 1, 2, 2 }, { 2.0 ^ 53, 5, 1, 1 })
  unit.assertEquals(A.first, { 1, 2, 3 })
  unit.assertEquals(A.column, { 1, 2 })
  unit.assertEquals(A.value, { 5, 2.0 ^ 53 })
end

function TestMatrix.test_symmetric_gets_the_upper_triangle()
  local A = sparse.matrix(3, 3, { 1, 2, 3, 3 }, { 1, 1, 2, 2 }, { 1, 2, 0.1, 0.2 }, true)
  unit.assertEquals(dense_from(A), { { 1, 2, 0 }, { 2, 0, 0.1 + 0.2 }, { 0, 0.1 + 0.2, 0 } })
  unit.assertTrue(A:is_symmetric())
end

function TestMatrix.test_is_symmetric()
  unit.assertTrue(from_dense({ { 1, 2 }, { 2, 1 } }):is_symmetric())
  unit.assertTrue(sparse.matrix(2, 2, {}, {}, {}):is_symmetric())
  unit.assertFalse(from_dense({ { 1, 2 }, { 3, 1 } }):is_symmetric())
  unit.assertFalse(from_dense({ { 1, 2 }, { 0, 1 } }):is_symmetric())
  unit.assertFalse(from_dense({ { 1, 0 }, { 2, 1 } }):is_symmetric())
  unit.assertFalse(from_dense({ { 1, 0, 0 }, { 0, 1, 0 } }):is_symmetric())
end

function TestMatrix.test_random_products_and_symmetry()
  for _ = 1, 200 do
    local rows, columns = math.random(1, 12), math.random(1, 12)
    local dense = random_dense(rows, columns)
    local A, x = from_dense(dense), random_vector(columns)
    local product = {}
    local symmetric = rows == columns
    for i = 1, rows do
      product[i] = 0
      for j = 1, columns do
        product[i] = product[i] + dense[i][j] * x[j]
        symmetric = symmetric and dense[i][j] == dense[j][i]
      end
    end
    unit.assertEquals(list(A * x), product)
    unit.assertEquals(A:is_symmetric(), symmetric)
    unit.assertEquals(dense_from(A), dense)
  end
end

function TestMatrix.test_errors()
  local cases = {
    { { 2, 2, { 3 }, { 1 }, { 1 } },
      "entry 1 is at (3, 1); expected integers from (1, 1) to (2, 2)" },
    { { 2, 2, { 1 }, { 0 }, { 1 } }, "entry 1 is at (1, 0)" },
    { { 2, 2, { 1.5 }, { 1 }, { 1 } }, "entry 1 is at (1.5, 1)" },
    { { 2, 2, { 1 }, { 1 }, { "1" } }, "value 1 is a string" },
    { { 2, 2, { 1 }, { 1, 2 }, { 1 } }, "1 rows, 2 columns and 1 values" },
    { { 2, 3, {}, {}, {}, true }, "2x3 cannot be symmetric" },
  }
  for _, case in ipairs(cases) do
    unit.assertErrorMsgContains(case[2], sparse.matrix, table.unpack(case[1]))
  end
  local A = from_dense { { 1, 2, 3 }, { 4, 5, 6 } }
  for _, place in ipairs { { 0, 1 }, { 3, 1 }, { 1, 0 }, { 1, 4 } } do
    unit.assertErrorMsgContains("is outside a 2x3 matrix", A.get, A, place[1], place[2])
  end
end

---------------------------------------------------------------- files

TestFile = {}

local matrix_text = [[
%%MatrixMarket matrix coordinate real symmetric
% a comment

%
 3 3  4
1 1 2
2 1 -1.5e-3
   3  3   .5

3 2 4.
]]

function TestFile.test_matrix_symmetric()
  local file <close> = scratch(matrix_text)
  local A = sparse.read_matrix(file.name)
  unit.assertEquals(dense_from(A), { { 2, -0.0015, 0 }, { -0.0015, 0, 4 }, { 0, 4, 0.5 } })
  unit.assertEquals(math.type(A.value[1]), "float")
end

function TestFile.test_matrix_general_integer_crlf_and_no_last_newline()
  local file <close> = scratch(
    "%%matrixmarket MATRIX Coordinate Integer GENERAL\r\n2 3 2\r\n1 3 7\r\n2 1 8")
  local A = sparse.read_matrix(file.name)
  unit.assertEquals(dense_from(A), { { 0, 0, 7 }, { 8, 0, 0 } })
end

function TestFile.test_vector()
  local file <close> = scratch("%%MatrixMarket matrix array real general\n3 1\n1\n-2.5\n3e2\n")
  unit.assertEquals(list(sparse.read_vector(file.name)), { 1, -2.5, 300 })
end

function TestFile.test_written_is_read_back_bit_for_bit()
  for _ = 1, 50 do
    local file <close> = scratch()
    local n = math.random(1, 10)
    local A = from_dense(random_dense(n, math.random(1, 10)))
    sparse.write_matrix(file.name, A, "one\ntwo")
    unit.assertEquals(sparse.read_matrix(file.name), A)

    local dense = random_dense(n, n)
    for i = 1, n do
      for j = 1, i do
        dense[i][j] = dense[j][i]
      end
    end
    A = from_dense(dense)
    sparse.write_matrix(file.name, A)
    unit.assertStrContains(content(file.name), " symmetric\n")
    unit.assertEquals(sparse.read_matrix(file.name), A)

    local x = random_vector(n)
    x[1] = -0.0
    x[#x + 1] = 5e-324
    x[#x + 1] = 1.7976931348623157e308
    sparse.write_vector(file.name, x, "three")
    local y = sparse.read_vector(file.name)
    unit.assertEquals(y, x)
    unit.assertEquals(1 / y[1], -math.huge)
  end
end

function TestFile.test_written_text()
  local file <close> = scratch()
  sparse.write_matrix(file.name, from_dense { { 1, 2 }, { 2, 0 } }, "made here")
  unit.assertEquals(content(file.name), "%%MatrixMarket matrix coordinate real symmetric\n"
    .. "% made here\n2 2 2\n1 1 1\n2 1 2\n")
  sparse.write_vector(file.name, sparse.vector { 0.1, -2 })
  unit.assertEquals(content(file.name), "%%MatrixMarket matrix array real general\n"
    .. "2 1\n0.10000000000000001\n-2\n")
end

-- Reads text as a file and checks the whole message, behind the file's name.
local function check_refused(read, text, message)
  local file <close> = scratch(text)
  local good, found = pcall(read, file.name)
  unit.assertFalse(good, "this was read: " .. text)
  unit.assertEquals(found, file.name .. message)
end

local symmetric = "%%MatrixMarket matrix coordinate real symmetric\n"
local general = "%%MatrixMarket matrix coordinate real general\n"
local array = "%%MatrixMarket matrix array real general\n"
local as_matrix = "; expected '%%MatrixMarket matrix coordinate real symmetric'"
local as_vector = "; expected '%%MatrixMarket matrix array real general'"
local as_sizes = " are not the sizes; expected 'rows columns entries', integers from 1 1 0"

local bad_matrices = {
  { "", ":0: the file is empty" .. as_matrix },
  { "hello\n", ":1: 'hello' is not the first line of a Matrix Market file" .. as_matrix },
  { "\n" .. symmetric, ":1: '' is not the first line of a Matrix Market file" .. as_matrix },
  { "%%MatrixMarket matrix coordinate real\n",
    ":1: '%%MatrixMarket matrix coordinate real' is not the first line of a Matrix Market file"
      .. as_matrix },
  { "\27[2J\0\255" .. ("x"):rep(100),
    ":1: '?[2J??" .. ("x"):rep(34) .. "...' is not the first line of a Matrix Market file"
      .. as_matrix },
  { "%%MatrixMarket vector coordinate real general\n", ":1: the object 'vector' is not read"
    .. as_matrix },
  { "%%MatrixMarket matrix coordinate complex symmetric\n",
    ":1: the field 'complex' is not read" .. as_matrix },
  { "%%MatrixMarket matrix coordinate pattern symmetric\n",
    ":1: the field 'pattern' is not read" .. as_matrix },
  { "%%MatrixMarket matrix coordinate real skew-symmetric\n",
    ":1: the symmetry 'skew-symmetric' is not read; expected 'symmetric' or 'general'" },
  { array, ":1: the format 'array' is not that of a sparse matrix" .. as_matrix },
  { symmetric, ":1: the file ends before its line of sizes; expected 'rows columns entries'" },
  { symmetric .. "% only this\n\n",
    ":3: the file ends before its line of sizes; expected 'rows columns entries'" },
  { symmetric .. "3 3\n", ":2: '3 3'" .. as_sizes },
  { symmetric .. "3 3 4 5\n", ":2: '3 3 4 5'" .. as_sizes },
  { symmetric .. "3 3 x\n", ":2: '3 3 x'" .. as_sizes },
  { symmetric .. "3 3 -1\n", ":2: '3 3 -1'" .. as_sizes },
  { symmetric .. "3 3 1.0\n", ":2: '3 3 1.0'" .. as_sizes },
  { symmetric .. "0 0 0\n", ":2: '0 0 0'" .. as_sizes },
  { symmetric .. "3 3 99999999999999999999\n", ":2: '3 3 99999999999999999999'" .. as_sizes },
  { symmetric .. "3 4 1\n1 1 1\n",
    ":2: a 3x4 matrix cannot be symmetric; expected as many columns as rows" },
  { symmetric .. "3 3 2\n", ":2: the file ends after 0 of 2 entries; expected 2 more" },
  { symmetric .. "3 3 2\n1 1 1\n\n", ":4: the file ends after 1 of 2 entries; expected 1 more" },
  { symmetric .. "3 3 1\n1 1 1\n\n2 2 1\n",
    ":5: '2 2 1' follows the last of 1 entries; expected the end of the file" },
  { symmetric .. "3 3 0\n1 1 1\n",
    ":3: '1 1 1' follows the last of 0 entries; expected the end of the file" },
  { symmetric .. "3 3 1\n1 1\n", ":3: '1 1' is not an entry; expected 'row column value'" },
  { symmetric .. "3 3 1\n1 1 1 1\n", ":3: '1 1 1 1' is not an entry; expected 'row column value'" },
  { symmetric .. "3 3 1\n-1 1 1\n", ":3: '-1 1 1' is not an entry; expected 'row column value'" },
  { symmetric .. "3 3 1\n% 1\n", ":3: '% 1' is not an entry; expected 'row column value'" },
  { symmetric .. "3 3 1\n0 1 1\n", ":3: (0, 1) is outside the matrix; expected (1, 1) to (3, 3)" },
  { symmetric .. "3 3 1\n4 1 1\n", ":3: (4, 1) is outside the matrix; expected (1, 1) to (3, 3)" },
  { general .. "3 2 1\n1 3 1\n", ":3: (1, 3) is outside the matrix; expected (1, 1) to (3, 2)" },
  { general .. "3 2 1\n99999999999999999999 1 1\n",
    ":3: (100000000000000000000, 1) is outside the matrix; expected (1, 1) to (3, 2)" },
  { symmetric .. "3 3 1\n1 2 1\n",
    ":3: (1, 2) is above the diagonal of a symmetric matrix; expected (2, 1)" },
  { symmetric .. "3 3 3\n1 1 1\n2 1 1\n1 1 5\n",
    ":5: (1, 1) is given again, first in line 3; expected each place once" },
  { general .. "3 3 3\n2 1 1\n\n2 2 1\n2 1 5\n",
    ":6: (2, 1) is given again, first in line 3; expected each place once" },
}
for _, text in ipairs { "x", "nan", "inf", "-inf", "0x10", "1d5", "1e", "--1", "1.2.3", "1,5" } do
  table.insert(bad_matrices, { symmetric .. "3 3 1\n1 1 " .. text .. "\n",
    ":3: '" .. text .. "' is not a number; expected a decimal number such as -1.5e-3" })
end
table.insert(bad_matrices, { symmetric .. "3 3 1\n1 1 -1e999\n",
  ":3: '-1e999' is too large for a double; expected less than 1.8e308" })

function TestFile.test_bad_matrices()
  for _, case in ipairs(bad_matrices) do
    check_refused(sparse.read_matrix, case[1], case[2])
  end
end

function TestFile.test_bad_vectors()
  local cases = {
    { "", ":0: the file is empty" .. as_vector },
    { symmetric, ":1: the format 'coordinate' is not that of a vector" .. as_vector },
    { "%%MatrixMarket matrix array complex general\n",
      ":1: the field 'complex' is not read" .. as_vector },
    { "%%MatrixMarket matrix array real symmetric\n",
      ":1: the symmetry 'symmetric' is not read; expected 'general'" },
    { array .. "3\n", ":2: '3' are not the sizes; expected 'rows columns', integers from 1 1" },
    { array .. "3 2\n", ":2: 2 columns are not a vector; expected '3 1'" },
    { array .. "2 1\n1\n", ":3: the file ends after 1 of 2 elements; expected 1 more" },
    { array .. "1 1\n1\n2\n",
      ":4: '2' follows the last of 1 elements; expected the end of the file" },
    { array .. "1 1\n1 2\n",
      ":3: '1 2' is not a number; expected a decimal number such as -1.5e-3" },
    { array .. "1 1\nNaN\n",
      ":3: 'NaN' is not a number; expected a decimal number such as -1.5e-3" },
  }
  for _, case in ipairs(cases) do
    check_refused(sparse.read_vector, case[1], case[2])
  end
end

function TestFile.test_every_truncation_of_a_matrix_is_refused()
  -- Up to the last value, where a shorter number is a number too.
  for size = 0, #matrix_text - #"4.\n" do
    local file <close> = scratch(matrix_text:sub(1, size))
    local good, message = pcall(sparse.read_matrix, file.name)
    unit.assertFalse(good, "read after " .. size .. " bytes")
    unit.assertStrMatches(message, file.name:gsub("%p", "%%%0") .. ":%d+: .*; expected .*")
  end
end

function TestFile.test_missing_file_and_directory()
  unit.assertErrorMsgEquals("no-such-file.mtx: cannot be read (No such file or directory); "
    .. "expected a Matrix Market file", sparse.read_matrix, "no-such-file.mtx")
  unit.assertErrorMsgEquals("no-such-file.mtx: cannot be read (No such file or directory); "
    .. "expected a Matrix Market file", sparse.read_vector, "no-such-file.mtx")
  unit.assertErrorMsgEquals("/:0: reading failed after this line (Is a directory); "
    .. "expected a Matrix Market file", sparse.read_matrix, "/")
end

function TestFile.test_write_errors()
  local x = sparse.vector { 1 }
  unit.assertErrorMsgEquals("/no-such-directory/x.mtx: cannot be written "
    .. "(No such file or directory)", sparse.write_vector, "/no-such-directory/x.mtx", x)
  -- Noticed when the file is closed.
  unit.assertErrorMsgContains("/dev/full: cannot be written (No space left on device)",
    sparse.write_vector, "/dev/full", x)
  unit.assertErrorMsgContains("found a table; expected a vector", sparse.write_vector, "x", {})
  unit.assertErrorMsgContains("found a vector of 1; expected a matrix", sparse.write_matrix, "x", x)
end

-- A line is lost, but all else is well, closing too.
function TestFile.test_write_error_before_the_end()
  local written = 0
  local handle = setmetatable({}, { __close = function() end })
  function handle.write()
    written = written + 1
    if written == 3 then
      return nil, "No space left on device"
    end
    return handle
  end
  function handle.close()
    return true
  end
  local open = io.open
  io.open = function() -- luacheck: ignore
    return handle
  end
  local good, message = pcall(sparse.write_vector, "x.mtx", sparse.vector { 1, 2, 3 })
  io.open = open -- luacheck: ignore
  unit.assertFalse(good)
  unit.assertEquals(message, "x.mtx: cannot be written (No space left on device)")
end

---------------------------------------------------------------- Wathen matrices

TestWathen = {}

-- Runs the generator. Returns A, b and the texts of both files, or nil and its output.
local function generate(nx, ny, seed_text)
  local A_file <close> = scratch()
  local b_file <close> = scratch()
  local command = string.format("LUA_PATH='%slua/?.lua' %s %sexamples/conjgrad/wathen.lua "
    .. "%s %s %s %s %s 2>&1", top, arg[-1], top, nx, ny, seed_text or 1, A_file.name, b_file.name)
  local pipe = assert(io.popen(command))
  local output = pipe:read("a")
  if not pipe:close() then
    return nil, output
  end
  return sparse.read_matrix(A_file.name), sparse.read_vector(b_file.name), content(A_file.name),
    content(b_file.name)
end

-- The shape function of the node at (p, q), each -1, 0 or 1, in the square from -1 to 1.
local function shape(p, q, x, y)
  if p == 0 then
    return (1 - x * x) * (1 + q * y) / 2
  elseif q == 0 then
    return (1 + p * x) * (1 - y * y) / 2
  end
  return (1 + p * x) * (1 + q * y) * (p * x + q * y - 1) / 4
end

-- The integral of the product of two shape functions, by Gauss's rule with three points, which
-- is exact for polynomials of degree 5; these have degree 4 in each variable.
local function mass(p, q, r, s)
  local points, weights = { -math.sqrt(0.6), 0, math.sqrt(0.6) }, { 5 / 9, 8 / 9, 5 / 9 }
  local sum = 0
  for i, x in ipairs(points) do
    for j, y in ipairs(points) do
      sum = sum + weights[i] * weights[j] * shape(p, q, x, y) * shape(r, s, x, y)
    end
  end
  return sum
end

-- Numbers of nodes by their coordinates, in half sides of an element: row by row, without the
-- centres of elements.
local function number_nodes(nx, ny)
  local number, n = {}, 0
  for y = 0, 2 * ny do
    number[y] = {}
    for x = 0, 2 * nx do
      if x % 2 == 0 or y % 2 == 0 then
        n = n + 1
        number[y][x] = n
      end
    end
  end
  return number, n
end

-- A Wathen matrix, dense, assembled from geometry and integrals.
local function assembled(nx, ny, density)
  local number, n = number_nodes(nx, ny)
  local dense = {}
  for i = 1, n do
    dense[i] = {}
    for j = 1, n do
      dense[i][j] = 0
    end
  end
  local around = { { -1, -1 }, { 0, -1 }, { 1, -1 }, { 1, 0 }, { 1, 1 }, { 0, 1 }, { -1, 1 },
    { -1, 0 } }
  for e = 0, nx * ny - 1 do
    local x, y = 2 * (e % nx) + 1, 2 * (e // nx) + 1
    for _, a in ipairs(around) do
      for _, b in ipairs(around) do
        local i, j = number[y + a[2]][x + a[1]], number[y + b[2]][x + b[1]]
        dense[i][j] = dense[i][j] + density[e + 1] * mass(a[1], a[2], b[1], b[2])
      end
    end
  end
  return dense
end

-- Whether a dense matrix is positive definite, by whether it has a Cholesky factor.
local function is_positive_definite(dense)
  local L = {}
  for i = 1, #dense do
    L[i] = {}
    for j = 1, i do
      local sum = dense[i][j]
      for k = 1, j - 1 do
        sum = sum - L[i][k] * L[j][k]
      end
      if i == j and sum <= 0 then
        return false
      end
      L[i][j] = i == j and math.sqrt(sum) or sum / L[j][j]
    end
  end
  return true
end

-- The densities that the generator draws for a seed, without touching the state of math.random
-- that the other tests are replayed from: it is put back by the seed given.
local function densities(count, from)
  math.randomseed(from)
  local density = {}
  for k = 1, count do
    density[k] = 100 * math.random()
  end
  math.randomseed(seed)
  return density
end

function TestWathen.test_against_integrals()
  for _, size in ipairs { { 1, 1 }, { 3, 2 }, { 1, 4 } } do
    local nx, ny = size[1], size[2]
    local A, b = generate(nx, ny, 5)
    local dense = assembled(nx, ny, densities(nx * ny, 5))
    unit.assertEquals(A.rows, 3 * nx * ny + 2 * nx + 2 * ny + 1)
    unit.assertEquals(A.rows, #dense)
    unit.assertEquals(#b, A.rows)
    for i = 1, A.rows do
      for j = 1, A.rows do
        unit.assertAlmostEquals(A:get(i, j), dense[i][j], 1e-11)
      end
    end
  end
end

function TestWathen.test_element_by_hand()
  local A = generate(1, 1, 9)
  local unit_mass = {}
  local density = densities(1, 9)[1]
  for j = 1, 8 do
    unit_mass[j] = math.floor(A:get(1, j) / density * 45 + 0.5)
  end
  -- Nodes 1 2 3 along the bottom, 4 5 in the middle, 6 7 8 along the top.
  unit.assertEquals(unit_mass, { 6, -6, 2, -6, -8, 2, -8, 3 })
end

-- With D the diagonal, the eigenvalues of D^-1 * A lie in [1/4, 9/2], whatever the densities:
-- A - D/4 and 9/2*D - A are positive semidefinite.
function TestWathen.test_eigenvalue_bounds()
  local A = generate(4, 3, seed % 1000)
  unit.assertTrue(A:is_symmetric())
  local low, high, beyond = {}, {}, {}
  for i = 1, A.rows do
    low[i], high[i], beyond[i] = {}, {}, {}
    for j = 1, A.rows do
      local a = A:get(i, j)
      low[i][j] = i == j and a * (1 - 0.2499) or a
      high[i][j] = i == j and a * (4.501 - 1) or -a
      beyond[i][j] = i == j and a * (1 - 4) or a
    end
  end
  unit.assertTrue(is_positive_definite(dense_from(A)))
  unit.assertTrue(is_positive_definite(low))
  unit.assertTrue(is_positive_definite(high))
  unit.assertFalse(is_positive_definite(beyond))
end

function TestWathen.test_number_of_nonzeros()
  -- Counted once for 250x250, n 188501: 2941501. Small sizes are counted from the mesh.
  for _, size in ipairs { { 2, 2 }, { 5, 3 } } do
    local nx, ny = size[1], size[2]
    local A = generate(nx, ny)
    local count = 0
    for _, row in ipairs(assembled(nx, ny, densities(nx * ny, 1))) do
      for _, a in ipairs(row) do
        count = count + (math.abs(a) > 1e-9 and 1 or 0)
      end
    end
    unit.assertEquals(#A.value, count)
    -- 64 places an element, less those on the sides between two (9) counted twice, but for the
    -- corners between four, where the sides' own overlap is taken off once too often (1).
    local sides = nx * (ny - 1) + ny * (nx - 1)
    unit.assertEquals(#A.value, 64 * nx * ny - 9 * sides + (nx - 1) * (ny - 1))
  end
  unit.assertEquals(64 * 250 * 250 - 9 * 2 * 250 * 249 + 249 * 249, 2941501)
end

function TestWathen.test_same_seed_same_files()
  local _, _, A1, b1 = generate(3, 3, 42)
  local _, _, A2, b2 = generate(3, 3, 42)
  local _, _, A3, b3 = generate(3, 3, 43)
  unit.assertEquals(A1, A2)
  unit.assertEquals(b1, b2)
  unit.assertNotEquals(A1, A3)
  unit.assertNotEquals(b1, b3)
  -- The same on every machine: computed by another implementation of xoshiro256**, which is what
  -- math.random is in Lua 5.4.
  unit.assertStrContains(A1, "\n1 1 12.410829040527576\n")
end

function TestWathen.test_wrong_arguments()
  for _, case in ipairs { { "x", 3 }, { 3, 0 }, { 3, 2.5 }, { 3, 3, "s" } } do
    local A, output = generate(case[1], case[2], case[3])
    unit.assertNil(A)
    unit.assertStrContains(output, "usage: wathen.lua nx ny [seed] [A.mtx b.mtx]")
  end
end

os.exit(unit.LuaUnit.run())
