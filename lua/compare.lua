-- Compares what two runs of a job have left: files byte by byte, snapshots value by value.

local export = require "export"
local inspect = require "inspect"

local compare = {}

local PIECE = 1 << 20     -- bytes that are compared at once
local LINE_SHOWN = 100    -- bytes of a line
local SNAPSHOT_MAGIC = "\xA7ckptlua\xCE"

---------------------------------------------------------------- files

local function first_difference(a, b)
  local low, high = 1, math.min(#a, #b)
  while low <= high do -- the first `low - 1` bytes are the same
    local middle = (low + high) // 2
    if a:sub(low, middle) == b:sub(low, middle) then
      low = middle + 1
    else
      high = middle - 1
    end
  end
  return low
end

local function count_lines(text)
  return select(2, text:gsub("\n", ""))
end

-- The line that begins there, without its end; nil at the end of the file.
local function line_at(file, offset)
  file:seek("set", offset)
  local text = file:read(LINE_SHOWN * 4)
  return text and text:match("^[^\n]*")
end

-- A line as it may be printed: cut, and nothing in it that a terminal obeys but tabs.
function compare.shown(line)
  if not line then
    return "(the end)"
  end
  local text = line:sub(1, LINE_SHOWN):gsub("[^\t]+", inspect.clean)
  return #line > LINE_SHOWN and text .. "..." or text
end

local function compare_open(a, b)
  local offset, line, line_start = 0, 1, 0
  while true do
    local x, y = a:read(PIECE) or "", b:read(PIECE) or ""
    if x ~= y then
      local at = first_difference(x, y)
      local same = x:sub(1, at - 1)
      local last = same:match("^.*\n()")
      line_start = last and offset + last - 1 or line_start
      return { offset = offset + at - 1, line = line + count_lines(same),
               undisturbed = line_at(a, line_start), killed = line_at(b, line_start),
               binary = (x .. y):find("\0", 1, true) ~= nil }
    elseif x == "" then
      return nil
    end
    local last = x:match("^.*\n()")
    line_start = last and offset + last - 1 or line_start
    offset, line = offset + #x, line + count_lines(x)
  end
end

-- nil where two files are the same, else where they differ: offset, line, and that line of both.
function compare.files(undisturbed, killed)
  local a <close> = assert(io.open(undisturbed, "rb"))
  local b <close> = assert(io.open(killed, "rb"))
  return compare_open(a, b)
end

function compare.lines(path)
  local file <close> = assert(io.open(path, "rb"))
  local count, last = 0, "\n"
  for text in function() return file:read(PIECE) end do
    count, last = count + count_lines(text), text:sub(-1)
  end
  return last == "\n" and count or count + 1
end

function compare.is_snapshot(path)
  local file <close> = io.open(path, "rb")
  local head = file and file:read(16)
  return head ~= nil and head:sub(4, 12) == SNAPSHOT_MAGIC
end

---------------------------------------------------------------- values

local function same_number(a, b)
  if math.type(a) ~= math.type(b) then
    return false
  end
  return a == b and a ~= 0 or ("n"):pack(a) == ("n"):pack(b) and a == b or
         a ~= a and b ~= b and ("n"):pack(a) == ("n"):pack(b) -- bits: -0.0, NaN
end

-- The way to table number n of a walk, as Lua would write it.
local function path_to(walk, n)
  local steps = {}
  while n > 1 do
    table.insert(steps, 1, walk.steps[n])
    n = walk.above[n]
  end
  local path = table.concat(steps)
  return (path:gsub("^%.", ""))
end

local function differ(walk, n, step, a, b)
  local path = (path_to(walk, n) .. step):gsub("^%.", "")
  return { path = inspect.clean(path), undisturbed = a, killed = b }
end

-- Pairs two tables, to be looked into later; false where one of them is paired with another.
local function pair(walk, a, b, n, step)
  if walk.partner[a] or walk.taken[b] then
    return walk.partner[a] == b
  end
  local next_number = #walk.a + 1
  walk.partner[a], walk.taken[b] = b, true
  walk.a[next_number], walk.b[next_number] = a, b
  walk.above[next_number], walk.steps[next_number] = n, step
  return true
end

-- Values that only the job could make again are known by what they are called; what is in an object
-- or a userdata cannot be seen.
local function same_opaque(walk, a, b)
  local x, y = export.describe(a), export.describe(b)
  -- An open file is a file, and compared as one.
  if x:find "^object" or x:find "^userdata" and x ~= "userdata FILE*" then
    walk.opaque[a] = true
  end
  return rawequal(a, b) or x == y
end

local function same_value(walk, a, b, n, step)
  local kind = type(a)
  if kind ~= type(b) then
    return false
  elseif kind == "number" then
    return same_number(a, b)
  elseif kind == "table" then
    return rawequal(a, b) or pair(walk, a, b, n, step)
  elseif kind == "string" or kind == "boolean" or kind == "nil" then
    return a == b
  end
  return same_opaque(walk, a, b)
end

local function is_plain(key)
  local kind = type(key)
  return kind == "string" or kind == "number" or kind == "boolean"
end

-- The key of b that means the same as a key of a that is not plain; nil if that cannot be told.
local function key_of(walk, key)
  return walk.partner[key] or (type(key) ~= "table" and key or nil)
end

local function compare_fields(walk, n)
  local a, b = walk.a[n], walk.b[n]
  local count, others = 0, false
  for key, value in next, a do
    count = count + 1
    if not is_plain(key) then
      others = true
    elseif not same_value(walk, value, rawget(b, key), n, export.step(key)) then
      return differ(walk, n, export.step(key), value, rawget(b, key))
    end
  end
  for key, value in next, b do
    count = count - 1
    if is_plain(key) and rawget(a, key) == nil then
      return differ(walk, n, export.step(key), nil, value)
    end
  end
  if count ~= 0 then
    return differ(walk, n, " (number of fields)", a, b)
  end
  walk.late[#walk.late + 1] = others and n or nil
end

local function compare_metatables(walk, n)
  local a, b = debug.getmetatable(walk.a[n]), debug.getmetatable(walk.b[n])
  if not same_value(walk, a, b, n, " (metatable)") then
    return differ(walk, n, " (metatable)", a, b)
  end
end

-- Fields whose keys are tables and the like: which of b's keys is which is known when these have
-- been met elsewhere. Counts those that have not.
local function compare_late(walk, n)
  local a, b = walk.a[n], walk.b[n]
  for key, value in next, a do
    local other = not is_plain(key) and key_of(walk, key)
    if other == nil then
      walk.unknown = walk.unknown + 1
    elseif other and not same_value(walk, value, rawget(b, other), n, "[...]") then
      return differ(walk, n, "[...]", value, rawget(b, other))
    end
  end
end

-- All pairs from number n on, and those that are found on the way.
local function compare_pairs(walk, n)
  while n <= #walk.a do
    local difference = compare_fields(walk, n) or compare_metatables(walk, n)
    if difference then
      return difference
    end
    n = n + 1
  end
end

-- nil where two tables have the same contents, shared references and cycles included, else where
-- they differ: path, and the value of both. The second result is how many values could not be seen.
function compare.values(a, b)
  local walk = { a = {}, b = {}, above = {}, steps = {}, partner = {}, taken = {}, late = {},
                 opaque = {} }
  pair(walk, a, b, 0, "")
  local known = 0
  while known < #walk.a do
    local difference = compare_pairs(walk, known + 1)
    known, walk.unknown = #walk.a, 0
    for _, n in ipairs(walk.late) do
      difference = difference or compare_late(walk, n)
    end
    if difference then
      return difference, 0
    end
  end
  return nil, walk.unknown + export.count(walk.opaque)
end

---------------------------------------------------------------- snapshots

local fixed_lengths = {
  [0xC0] = 0, [0xC2] = 0, [0xC3] = 0, [0xCA] = 4, [0xCB] = 8, [0xCC] = 1, [0xCD] = 2, [0xCE] = 4,
  [0xCF] = 8, [0xD0] = 1, [0xD1] = 2, [0xD2] = 4, [0xD3] = 8,
}
local byte_lengths = { [0xC4] = ">s1", [0xC5] = ">s2", [0xC6] = ">s4", [0xD9] = ">s1",
                       [0xDA] = ">s2", [0xDB] = ">s4" }
local counts = { [0xDC] = ">I2", [0xDD] = ">I4", [0xDE] = ">I2", [0xDF] = ">I4" }

local read_object

local function read_many(text, at, count)
  local first
  for i = 1, count do
    local value
    value, at = read_object(text, at)
    first = i == 1 and value or first
  end
  return first, at
end

-- Reads one msgpack object; returns what it is where that is a string, and where the next begins.
function read_object(text, at)
  local head = text:byte(at)
  at = at + 1
  if head < 0x80 or head >= 0xE0 then
    return nil, at
  elseif head < 0x90 then
    return nil, (select(2, read_many(text, at, 2 * (head & 0x0F))))
  elseif head < 0xA0 then
    return nil, (select(2, read_many(text, at, head & 0x0F)))
  elseif head < 0xC0 then
    return text:sub(at, at + (head & 0x1F) - 1), at + (head & 0x1F)
  elseif fixed_lengths[head] then
    return nil, at + fixed_lengths[head]
  elseif byte_lengths[head] then
    return byte_lengths[head]:unpack(text, at)
  end
  local count
  count, at = assert(counts[head]):unpack(text, at)
  return nil, (select(2, read_many(text, at, head >= 0xDE and 2 * count or count)))
end

-- The state of math.random in a snapshot, object 2 of docs/format.md; nil if it is not found.
function compare.random_state(path)
  local file <close> = assert(io.open(path, "rb"))
  local text = file:read(PIECE)
  local function find()
    local at = select(2, read_object(text, 1))
    local head = text:byte(at)
    local count = head == 0xDE and (">I2"):unpack(text, at + 1) or head & 0x0F
    at = at + (head == 0xDE and 3 or 1)
    for _ = 1, count do
      local key, value
      key, at = read_object(text, at)
      value, at = read_object(text, at)
      if key == "random" then
        return value
      end
    end
  end
  local ok, state = pcall(find)
  return ok and state or nil
end

return compare
