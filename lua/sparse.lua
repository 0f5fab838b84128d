-- Dense vectors, sparse matrices and Matrix Market files, in plain Lua.
--
--     local sparse = require "sparse"
--     local A, b = sparse.read_matrix("A.mtx"), sparse.read_vector("b.mtx")
--     local r = b + A * b
--     print(sparse.norm(r), sparse.dot(r, b))
--
-- Elements are floats. Every sum is added from the first element to the last, so that the same
-- input gives the same bits on every run. Objects are never changed by an operator.
-- Runs under stock Lua 5.4 as well; under ckptlua its two classes can be saved.

local sparse = {}

-- A vector is a sequence: x[1] to x[#x].
local Vector = { __name = "sparse.vector" }
Vector.__index = Vector

-- A matrix is kept by compressed rows: the entries of row i are those at first[i] to
-- first[i + 1] - 1 of column and value, with columns ascending and none twice.
local Matrix = { __name = "sparse.matrix" }
Matrix.__index = Matrix

if ckpt then
  ckpt.register("sparse.vector", Vector)
  ckpt.register("sparse.matrix", Matrix)
end

-- Raises an error that is blamed on the line that used an operator or function of this module.
local function refuse(...)
  error(string.format(...), 3)
end

local function is_vector(x)
  return getmetatable(x) == Vector
end

local function is_matrix(x)
  return getmetatable(x) == Matrix
end

-- What x is, for messages: "a vector of 3", "a 3x4 matrix", "a string".
local function described(x)
  if is_vector(x) then
    return string.format("a vector of %d", #x)
  elseif is_matrix(x) then
    return string.format("a %dx%d matrix", x.rows, x.columns)
  end
  return "a " .. type(x)
end

---------------------------------------------------------------- vectors

-- sparse.vector(list): the vector of the numbers in list, a sequence. The list is copied.
-- Raises an error if an element is not a number.
function sparse.vector(list)
  local x = {}
  for i = 1, #list do
    if type(list[i]) ~= "number" then
      refuse("sparse.vector: element %d is a %s; expected a number", i, type(list[i]))
    end
    x[i] = list[i] + 0.0
  end
  return setmetatable(x, Vector)
end

-- x + y: elementwise. Raises an error unless both are vectors of one length.
function Vector.__add(x, y)
  if not is_vector(x) or not is_vector(y) or #x ~= #y then
    refuse("cannot add %s and %s; expected two vectors of one length", described(x), described(y))
  end
  local sum = {}
  for i = 1, #x do
    sum[i] = x[i] + y[i]
  end
  return setmetatable(sum, Vector)
end

-- x - y: elementwise. Raises an error unless both are vectors of one length.
function Vector.__sub(x, y)
  if not is_vector(x) or not is_vector(y) or #x ~= #y then
    refuse("cannot subtract %s from %s; expected two vectors of one length", described(y),
      described(x))
  end
  local difference = {}
  for i = 1, #x do
    difference[i] = x[i] - y[i]
  end
  return setmetatable(difference, Vector)
end

-- -x: elementwise.
function Vector.__unm(x)
  local negative = {}
  for i = 1, #x do
    negative[i] = -x[i]
  end
  return setmetatable(negative, Vector)
end

-- t * x or x * t: each element times the number t. Raises an error for any other product that
-- begins with a vector.
function Vector.__mul(x, y)
  local t
  if is_vector(x) then
    t, x = y, x
  else
    t, x = x, y
  end
  if is_vector(t) then
    refuse("cannot multiply %s and %s; sparse.dot gives the scalar product", described(x),
      described(t))
  elseif type(t) ~= "number" then
    refuse("cannot multiply %s and %s; expected a number, or A * x", described(x), described(t))
  end
  local product = {}
  for i = 1, #x do
    product[i] = t * x[i]
  end
  return setmetatable(product, Vector)
end

-- tostring(x): its length and first elements, in one line.
function Vector.__tostring(x)
  local text = {}
  for i = 1, math.min(#x, 6) do
    text[i] = string.format("%.6g", x[i])
  end
  if #x > 6 then
    text[7] = "..."
  end
  return string.format("vector of %d: %s", #x, table.concat(text, ", "))
end

-- sparse.dot(x, y): the scalar product x'y. Raises an error unless both are vectors of one length.
function sparse.dot(x, y)
  if not is_vector(x) or not is_vector(y) or #x ~= #y then
    refuse("sparse.dot: found %s and %s; expected two vectors of one length", described(x),
      described(y))
  end
  local sum = 0.0
  for i = 1, #x do
    sum = sum + x[i] * y[i]
  end
  return sum
end

-- sparse.norm(x): the Euclidean length of x. The squares are not scaled: elements beyond 1e154
-- overflow. Raises an error unless x is a vector.
function sparse.norm(x)
  if not is_vector(x) then
    refuse("sparse.norm: found %s; expected a vector", described(x))
  end
  local sum = 0.0
  for i = 1, #x do
    sum = sum + x[i] * x[i]
  end
  return math.sqrt(sum)
end

---------------------------------------------------------------- matrices

-- A sequence of n times x, so that it can then be filled in any order without rehashing.
local function filled(n, x)
  local list = {}
  for i = 1, n do
    list[i] = x
  end
  return list
end

-- Turns how many entries each of n lines has (count[k + 1] for line k, count[1] unused) into
-- where each begins: count[k] to count[k + 1] - 1. In place.
local function starts_from_counts(count, n)
  count[1] = 1
  for k = 1, n do
    count[k + 1] = count[k] + count[k + 1]
  end
end

-- The entries sorted by column, and in the order given within a column. With mirror, (j, i) is
-- added for each (i, j) off the diagonal. Returns where each column begins, rows and values.
local function sort_by_column(columns, i, j, value, mirror)
  local start = filled(columns + 1, 0)
  for k = 1, #value do
    start[j[k] + 1] = start[j[k] + 1] + 1
    if mirror and i[k] ~= j[k] then
      start[i[k] + 1] = start[i[k] + 1] + 1
    end
  end
  starts_from_counts(start, columns)

  local total = start[columns + 1] - 1
  local row, sorted = filled(total, 0), filled(total, 0.0)
  local free = table.move(start, 1, columns, 1, {})
  local function put(r, c, x)
    local p = free[c]
    row[p], sorted[p], free[c] = r, x, p + 1
  end
  for k = 1, #value do
    put(i[k], j[k], value[k])
    if mirror and i[k] ~= j[k] then
      put(j[k], i[k], value[k])
    end
  end
  return start, row, sorted
end

-- Sorts by row what sort_by_column returned, which keeps the order of columns within each row.
local function sort_by_row(rows, columns, start, row, value)
  local first = filled(rows + 1, 0)
  for p = 1, #row do
    first[row[p] + 1] = first[row[p] + 1] + 1
  end
  starts_from_counts(first, rows)

  local column, sorted = filled(#row, 0), filled(#row, 0.0)
  local free = table.move(first, 1, rows, 1, {})
  for c = 1, columns do
    for p = start[c], start[c + 1] - 1 do
      local q = free[row[p]]
      column[q], sorted[q], free[row[p]] = c, value[p], q + 1
    end
  end
  return first, column, sorted
end

-- Adds up entries of a matrix that are in one place. In place; returns how many were removed.
local function merge_duplicates(A)
  local first, column, value = A.first, A.column, A.value
  local total, kept = #column, 0
  for i = 1, A.rows do
    local from, to = first[i], first[i + 1] - 1
    first[i] = kept + 1
    for p = from, to do
      if p > from and column[p] == column[kept] then
        value[kept] = value[kept] + value[p]
      else
        kept = kept + 1
        column[kept], value[kept] = column[p], value[p]
      end
    end
  end
  first[A.rows + 1] = kept + 1
  for p = total, kept + 1, -1 do
    column[p], value[p] = nil, nil
  end
  return total - kept
end

-- The matrix of entries that have been checked, and the number of entries that were in the place
-- of an earlier one (those are added up, in the order given).
local function compress(rows, columns, i, j, value, symmetric)
  local start, row, sorted = sort_by_column(columns, i, j, value, symmetric)
  local A = { rows = rows, columns = columns }
  A.first, A.column, A.value = sort_by_row(rows, columns, start, row, sorted)
  return setmetatable(A, Matrix), merge_duplicates(A)
end

-- sparse.matrix(rows, columns, i, j, value [, symmetric]): the rows x columns matrix with
-- value[k] at (i[k], j[k]), where i, j and value are sequences of one length; values for the same
-- place are added in the order given. With symmetric true, each value off the diagonal is put at
-- (j[k], i[k]) too. Raises an error if an index is out of range or a value is not a number.
function sparse.matrix(rows, columns, i, j, value, symmetric)
  if #i ~= #value or #j ~= #value then
    refuse("sparse.matrix: %d rows, %d columns and %d values; expected as many of each", #i, #j,
      #value)
  elseif symmetric and rows ~= columns then
    refuse("sparse.matrix: %dx%d cannot be symmetric; expected a square matrix", rows, columns)
  end
  for k = 1, #value do
    local r, c = math.tointeger(i[k]), math.tointeger(j[k])
    if not r or not c or r < 1 or r > rows or c < 1 or c > columns then
      refuse("sparse.matrix: entry %d is at (%s, %s); expected integers from (1, 1) to (%d, %d)", k,
        i[k], j[k], rows, columns)
    elseif type(value[k]) ~= "number" then
      refuse("sparse.matrix: value %d is a %s; expected a number", k, type(value[k]))
    end
  end
  return (compress(rows, columns, i, j, value, symmetric))
end

-- A * x: a vector of A.rows elements. Raises an error unless x is a vector of A.columns elements.
function Matrix.__mul(A, x)
  if not is_matrix(A) or not is_vector(x) then
    refuse("cannot multiply %s and %s; expected A * x, with x a vector", described(A), described(x))
  elseif #x ~= A.columns then
    refuse("cannot multiply %s and %s; expected a vector of %d", described(A), described(x),
      A.columns)
  end
  local first, column, value = A.first, A.column, A.value
  local product = {}
  local p = 1
  for i = 1, A.rows do
    local sum = 0.0
    local past = first[i + 1]
    for q = p, past - 1 do
      sum = sum + value[q] * x[column[q]]
    end
    p = past
    product[i] = sum
  end
  return setmetatable(product, Vector)
end

-- tostring(A): its shape, in one line.
function Matrix.__tostring(A)
  return string.format("sparse matrix %dx%d, %d nonzeros", A.rows, A.columns, #A.value)
end

-- A:get(i, j): the value at row i and column j, 0.0 where nothing is stored. Raises an error if
-- there is no such place.
function Matrix.get(A, i, j)
  if not A.first[i] or not A.first[i + 1] or j < 1 or j > A.columns then
    refuse("get: (%s, %s) is outside %s", i, j, described(A))
  end
  local low, high = A.first[i], A.first[i + 1] - 1
  while low <= high do
    local middle = (low + high) // 2
    if A.column[middle] == j then
      return A.value[middle]
    elseif A.column[middle] < j then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return 0.0
end

-- A:is_symmetric(): whether A is square and equal to its transpose, exactly.
function Matrix.is_symmetric(A)
  if A.rows ~= A.columns then
    return false
  end
  local first, column, value = A.first, A.column, A.value
  -- Rows are visited in order, so that the partners of column j come along its row in order too.
  local partner = table.move(first, 1, A.rows, 1, {})
  for i = 1, A.rows do
    for p = first[i], first[i + 1] - 1 do
      local j = column[p]
      local q = partner[j]
      if q >= first[j + 1] or column[q] ~= i or value[q] ~= value[p] then
        return false
      end
      partner[j] = q + 1
    end
  end
  return true
end

---------------------------------------------------------------- reading Matrix Market files

-- A file being read: name, handle, and the number of the line that was read last.
local Input = {}
Input.__index = Input

-- Raises an error that names the file and the line read last; the caller of the reader is not to
-- blame, so its place is not in the message.
function Input.fail(input, ...)
  error(string.format("%s:%d: ", input.name, input.line) .. string.format(...), 0)
end

-- Text from a file, fit to be shown in a message.
local function shown(text)
  text = text:gsub("^%s+", ""):gsub("%s+$", ""):gsub("[%c\x7f-\xff]", "?")
  if #text > 40 then
    text = text:sub(1, 40) .. "..."
  end
  return "'" .. text .. "'"
end

-- Opens a file for reading. The caller closes input.handle.
local function open_input(name)
  local handle, why = io.open(name, "r")
  if not handle then
    why = why:gsub("^" .. name:gsub("%p", "%%%0") .. ": ", "")
    error(string.format("%s: cannot be read (%s); expected a Matrix Market file", name, why), 0)
  end
  return setmetatable({ name = name, handle = handle, line = 0 }, Input)
end

-- The next line, or nil at the end of the file.
function Input.next_raw(input)
  local text, why = input.handle:read("l")
  if why then
    input:fail("reading failed after this line (%s); expected a Matrix Market file", why)
  elseif text then
    input.line = input.line + 1
  end
  return text
end

-- The next line that is not blank, or nil at the end of the file.
function Input.next(input)
  local text
  repeat
    text = input:next_raw()
  until not text or text:find("%S")
  return text
end

-- Reads the first line. Returns format and symmetry, in lower case, once object and field are
-- those that this module reads.
function Input.banner(input, expected)
  local text = input:next_raw()
  local object, format, field, symmetry =
    (text or ""):lower():match("^%%%%matrixmarket%s+(%S+)%s+(%S+)%s+(%S+)%s+(%S+)%s*$")
  local found
  if not text then
    found = "the file is empty"
  elseif not object then
    found = shown(text) .. " is not the first line of a Matrix Market file"
  elseif object ~= "matrix" then
    found = string.format("the object %s is not read", shown(object))
  elseif field ~= "real" and field ~= "integer" then
    found = string.format("the field %s is not read", shown(field))
  else
    return format, symmetry
  end
  input:fail("%s; expected '%s'", found, expected)
end

-- Reads the line of sizes, behind comments: as many integers as names has, at least least[k].
function Input.sizes(input, names, least)
  local text
  repeat
    text = input:next()
  until not text or text:sub(1, 1) ~= "%"
  if not text then
    input:fail("the file ends before its line of sizes; expected '%s'", table.concat(names, " "))
  end
  local sizes = {}
  for word in text:gmatch("%S+") do
    sizes[#sizes + 1] = word:find("^%d+$") and math.tointeger(tonumber(word)) or -1
  end
  for k = 1, math.max(#names, #sizes) do
    if not names[k] or not sizes[k] or sizes[k] < least[k] then
      input:fail("%s are not the sizes; expected '%s', integers from %s", shown(text),
        table.concat(names, " "), table.concat(least, " "))
    end
  end
  return table.unpack(sizes)
end

-- The float that text stands for. Refused are names such as inf and nan, hexadecimal numbers, and
-- numbers that are too large.
function Input.number(input, text)
  local x = not text:find("[^%d.eE+-]") and tonumber(text)
  if not x then
    input:fail("%s is not a number; expected a decimal number such as -1.5e-3", shown(text))
  end
  if x == 0 and text:find("^-") then
    return -0.0 -- "-0" is the integer 0 to Lua
  end
  x = x + 0.0
  if x - x ~= 0 then
    input:fail("%s is too large for a double; expected less than 1.8e308", shown(text))
  end
  return x
end

-- The k-th of count data lines, what naming them in messages.
function Input.data(input, k, count, what)
  local text = input:next()
  if not text then
    input:fail("the file ends after %d of %d %s; expected %d more", k - 1, count, what,
      count - k + 1)
  end
  return text
end

-- Checks that the file ends behind count data lines.
function Input.finish(input, count, what)
  local text = input:next()
  if text then
    input:fail("%s follows the last of %d %s; expected the end of the file", shown(text), count,
      what)
  end
end

-- Raises an error about the first of the entries that is in the place of an earlier one.
local function fail_for_duplicate(input, i, j, lines, columns)
  local seen = {}
  for k = 1, #i do
    local place = (i[k] - 1) * columns + j[k]
    if seen[place] then
      input.line = lines[k]
      input:fail("(%d, %d) is given again, first in line %d; expected each place once", i[k], j[k],
        lines[seen[place]])
    end
    seen[place] = k
  end
end

-- Checks the place of an entry in a rows x columns matrix.
function Input.check_place(input, r, c, rows, columns, symmetric)
  if r < 1 or r > rows or c < 1 or c > columns then
    input:fail("(%.0f, %.0f) is outside the matrix; expected (1, 1) to (%d, %d)", r, c, rows,
      columns)
  elseif symmetric and c > r then
    input:fail("(%d, %d) is above the diagonal of a symmetric matrix; expected (%d, %d)", r, c, c,
      r)
  end
end

-- Reads the entries of a coordinate file. Returns the matrix.
local function read_entries(input, rows, columns, count, symmetric)
  local i, j, value, lines = {}, {}, {}, {}
  for k = 1, count do
    local text = input:data(k, count, "entries")
    local r, c, x = text:match("^%s*(%d+)%s+(%d+)%s+(%S+)%s*$")
    if not r then
      input:fail("%s is not an entry; expected 'row column value'", shown(text))
    end
    r, c = tonumber(r), tonumber(c)
    input:check_place(r, c, rows, columns, symmetric)
    i[k], j[k], value[k], lines[k] = r, c, input:number(x), input.line
  end
  input:finish(count, "entries")
  local A, duplicates = compress(rows, columns, i, j, value, symmetric)
  if duplicates > 0 then
    fail_for_duplicate(input, i, j, lines, columns)
  end
  return A
end

-- sparse.read_matrix(file): the sparse matrix in a Matrix Market file, coordinate, real (or
-- integer), symmetric (the lower triangle is given, the whole is returned) or general.
-- Anything else in the file is an error that names file and line and says what is expected.
function sparse.read_matrix(file)
  local input = open_input(file)
  local handle <close> = input.handle -- luacheck: ignore handle
  local expected = "%%MatrixMarket matrix coordinate real symmetric"
  local format, symmetry = input:banner(expected)
  if format ~= "coordinate" then
    input:fail("the format %s is not that of a sparse matrix; expected '%s'", shown(format),
      expected)
  elseif symmetry ~= "symmetric" and symmetry ~= "general" then
    input:fail("the symmetry %s is not read; expected 'symmetric' or 'general'", shown(symmetry))
  end
  local rows, columns, count = input:sizes({ "rows", "columns", "entries" }, { 1, 1, 0 })
  local symmetric = symmetry == "symmetric"
  if symmetric and rows ~= columns then
    input:fail("a %dx%d matrix cannot be symmetric; expected as many columns as rows", rows,
      columns)
  end
  return read_entries(input, rows, columns, count, symmetric)
end

-- sparse.read_vector(file): the vector in a Matrix Market file, array, real (or integer),
-- general, with one column. Errors as in sparse.read_matrix.
function sparse.read_vector(file)
  local input = open_input(file)
  local handle <close> = input.handle -- luacheck: ignore handle
  local expected = "%%MatrixMarket matrix array real general"
  local format, symmetry = input:banner(expected)
  if format ~= "array" then
    input:fail("the format %s is not that of a vector; expected '%s'", shown(format), expected)
  elseif symmetry ~= "general" then
    input:fail("the symmetry %s is not read; expected 'general'", shown(symmetry))
  end
  local rows, columns = input:sizes({ "rows", "columns" }, { 1, 1 })
  if columns ~= 1 then
    input:fail("%d columns are not a vector; expected '%d 1'", columns, rows)
  end
  local x = {}
  for k = 1, rows do
    local text = input:data(k, rows, "elements")
    x[k] = input:number(text:match("^%s*(.-)%s*$"))
  end
  input:finish(rows, "elements")
  return setmetatable(x, Vector)
end

---------------------------------------------------------------- writing Matrix Market files

-- Writes a new file: produce(put) is called and writes lines by put(format, ...). Raises an error
-- that names the file if anything of it could not be written.
local function write_file(name, produce)
  local function check(good, why)
    if not good then
      why = why:gsub("^" .. name:gsub("%p", "%%%0") .. ": ", "")
      error(string.format("%s: cannot be written (%s)", name, why), 0)
    end
    return good
  end
  local handle <close> = check(io.open(name, "w"))
  produce(function(...)
    check(handle:write(string.format(...), "\n"))
  end)
  check(handle:close())
end

-- The comment lines behind the first line; comment may be nil and have several lines.
local function put_comment(put, comment)
  for text in (comment or ""):gmatch("[^\n]+") do
    put("%% %s", text)
  end
end

-- sparse.write_matrix(file, A [, comment]): writes A so that sparse.read_matrix reads the same
-- matrix, bit for bit: the lower triangle if A is symmetric, otherwise all. Raises an error that
-- names the file if that fails; part of it may then have been written.
function sparse.write_matrix(file, A, comment)
  if not is_matrix(A) then
    refuse("sparse.write_matrix: found %s; expected a matrix", described(A))
  end
  local symmetric = A:is_symmetric()
  local count = 0
  local function each_entry(f)
    for i = 1, A.rows do
      for p = A.first[i], A.first[i + 1] - 1 do
        if not symmetric or A.column[p] <= i then
          f(i, A.column[p], A.value[p])
        end
      end
    end
  end
  each_entry(function()
    count = count + 1
  end)
  write_file(file, function(put)
    put("%%%%MatrixMarket matrix coordinate real %s", symmetric and "symmetric" or "general")
    put_comment(put, comment)
    put("%d %d %d", A.rows, A.columns, count)
    each_entry(function(i, j, x)
      put("%d %d %.17g", i, j, x)
    end)
  end)
end

-- sparse.write_vector(file, x [, comment]): writes x so that sparse.read_vector reads the same
-- vector, bit for bit. Errors as in sparse.write_matrix.
function sparse.write_vector(file, x, comment)
  if not is_vector(x) then
    refuse("sparse.write_vector: found %s; expected a vector", described(x))
  end
  write_file(file, function(put)
    put("%%%%MatrixMarket matrix array real general")
    put_comment(put, comment)
    put("%d 1", #x)
    for i = 1, #x do
      put("%.17g", x[i])
    end
  end)
end

return sparse
