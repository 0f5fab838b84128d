-- Writes the variables of a snapshot as JSON or as plain msgpack: `ckptlua export`.
--
-- Values are walked with a stack of the walk's own, so that nesting may have any depth, and come
-- out piece by piece, so that the output is never in memory as a whole. Tables may carry
-- metatables of the job: only raw access here.

local export = {}

local math_type, rawget, next, type = math.type, rawget, next, type
local format, pack, concat = string.format, string.pack, table.concat

-- Raises what the program ends with.
function export.fail(code, ...)
  error({ code = code, message = format(...) }, 0)
end

-- host.load(file) or host.load_header(file); host.describe(value) tells what a stand-in stands for
function export.load(host, what, file)
  export.stand_in = host.describe
  local ok, result = pcall(host[what], file)
  if ok then
    return result
  end
  if result == "not enough memory" then
    export.fail(1, "%s: not enough memory to read it", file)
  end
  export.fail(3, "%s", tostring(result))
end

---------------------------------------------------------------- text of single values

local float_formats = {}
for digits = 1, 17 do
  float_formats[digits] = "%." .. digits .. "g"
end

-- The shortest text that reads back as the same float, and not as an integer.
function export.float(x)
  if x ~= x then
    return "nan"
  elseif x == math.huge then
    return "inf"
  elseif x == -math.huge then
    return "-inf"
  end
  local text
  -- Normal numbers never read back exactly from less than 15 digits unless zeros were cut.
  local first = (x < 2.3e-308 and x > -2.3e-308) and 1 or 15
  for digits = first, 17 do
    text = format(float_formats[digits], x)
    if tonumber(text) == x then
      break
    end
  end
  return text:find("[.e]") and text or text .. ".0"
end

local named_escapes = {
  ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ['"'] = '\\"', ["\\"] = "\\\\",
}

-- A string as Lua would read it, in quotes; UTF-8 text stays readable.
function export.quote(text)
  local function escape(char)
    return named_escapes[char] or format("\\x%02X", char:byte())
  end
  text = text:gsub('[%c"\\]', escape)
  if utf8.len(text) then
    -- C1 controls, which some terminals obey
    text = text:gsub("\xC2[\x80-\x9F]", function(pair) return pair:gsub(".", escape) end)
  else
    text = text:gsub("[\x80-\xFF]", escape)
  end
  return '"' .. text .. '"'
end

local known -- function or table of Lua's own -> what it is, made when first needed

local function learn_fields(name, library)
  for field, value in next, library do
    local kind = type(value)
    if type(field) == "string" and not known[value] and (kind == "function" or kind == "table") then
      known[value] = kind .. " " .. (name == "_G" and "" or name .. ".") .. field
    end
  end
end

local function learn()
  known = {}
  for name, library in next, package.loaded do
    known[library] = "module " .. name
  end
  for _, name in ipairs(export.sorted_keys(package.loaded)) do
    if type(package.loaded[name]) == "table" then
      learn_fields(name, package.loaded[name])
    end
  end
end

-- What a value that only a job can have is called, such as "function f" or "module string"; nil for
-- other tables. A snapshot names functions and libraries: those of Lua itself are the values
-- that are here, too. For the others there are stand-ins, of which export.stand_in tells.
function export.describe(value)
  if not known then
    learn()
  end
  if known[value] then
    return known[value]
  elseif type(value) == "table" then
    return nil
  end
  local description = export.stand_in and export.stand_in(value)
  if description then
    return description
  elseif type(value) == "function" then
    return "function"
  end
  local ok, text = pcall(tostring, value)
  return ok and text or type(value)
end

local reserved = {}
for word in ([[and break do else elseif end false for function goto if in local nil not or repeat
               return then true until while]]):gmatch("%a+") do
  reserved[word] = true
end

function export.is_name(text)
  return text:find("^[%a_][%w_]*$") ~= nil and not reserved[text]
end

-- A key as it follows its table in Lua: .name, [3], ["odd one"]
function export.step(key)
  if type(key) == "string" then
    return export.is_name(key) and "." .. key or "[" .. export.quote(key) .. "]"
  elseif math_type(key) == "float" then
    return "[" .. export.float(key) .. "]"
  end
  return "[" .. (export.describe(key) or "table") .. "]"
end

---------------------------------------------------------------- tables

-- Number of entries, and whether the keys are just 1, 2, ..., that number.
function export.count(t)
  local count, last, sequence = 0, 0, true
  for key in next, t do
    count = count + 1
    if math_type(key) ~= "integer" or key < 1 then
      sequence = false
    elseif key > last then
      last = key
    end
  end
  return count, sequence and last == count
end

local type_rank = { number = 1, string = 2, boolean = 3 }

local function comes_first(a, b)
  local type_a, type_b = type(a), type(b)
  if type_a ~= type_b then
    return (type_rank[type_a] or 4) < (type_rank[type_b] or 4)
  elseif type_a == "number" or type_a == "string" then
    return a < b
  elseif type_a == "boolean" then
    return not a and b
  end
  return false
end

-- All keys: numbers, then strings, each sorted, then the others.
function export.sorted_keys(t)
  local keys, plain = {}, true
  for key in next, t do
    keys[#keys + 1] = key
    plain = plain and type(key) == "string"
  end
  -- Strings alone need no function, which is several times faster.
  table.sort(keys, not plain and comes_first or nil)
  return keys
end

-- A weak table could lose entries between being counted and being written.
local function hold(t)
  local metatable = debug.getmetatable(t)
  if not metatable or rawget(metatable, "__mode") == nil then
    return t
  end
  local held = {}
  for key, value in next, t do
    held[key] = value
  end
  return held
end

---------------------------------------------------------------- JSON

-- An encoder has
--   scalar(value)                 text of what is no table
--   open(sequence, count, depth), comma(depth), close(sequence, depth)
--   key(name)                     text before a value in a map
--   name(key)                     what to call a key, or nil and why it cannot be one
local json = {}

local json_escapes = {
  ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t",
}

local function json_escape(char)
  return json_escapes[char] or format("\\u%04x", char:byte())
end

local base64_pairs -- text of each 12 bits, made when first needed

local function make_base64_pairs()
  local alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
  base64_pairs = {}
  for i = 0, 4095 do
    local high, low = (i >> 6) + 1, (i & 63) + 1
    base64_pairs[i] = alphabet:sub(high, high) .. alphabet:sub(low, low)
  end
end

local function base64(text)
  if not base64_pairs then
    make_base64_pairs()
  end
  local out, size = {}, #text
  for i = 1, size, 3 do
    local a, b, c = text:byte(i, i + 2)
    local bits = a << 16 | (b or 0) << 8 | (c or 0)
    out[#out + 1] = base64_pairs[bits >> 12]
    out[#out + 1] = base64_pairs[bits & 4095]
  end
  local missing = -size % 3
  return concat(out):sub(1, -1 - missing) .. ("="):rep(missing)
end

local function json_string(text)
  if not utf8.len(text) then
    return '{"base64":"' .. base64(text) .. '"}'
  end
  return '"' .. text:gsub('[%c"\\]', json_escape) .. '"'
end

local json_special = { ["nan"] = '"NaN"', ["inf"] = '"Infinity"', ["-inf"] = '"-Infinity"' }

function json.scalar(value)
  local kind = math_type(value)
  if kind == "integer" then
    return format("%d", value)
  elseif kind == "float" then
    local text = export.float(value)
    return json_special[text] or text
  elseif type(value) == "string" then
    return json_string(value)
  elseif type(value) == "boolean" then
    return value and "true" or "false"
  elseif value == nil then
    return "null"
  end
  return json_string(export.describe(value))
end

-- One variable a line; what is inside it follows on the same line.
function json.open(sequence, _, depth)
  return (sequence and "[" or "{") .. (depth == 1 and "\n" or "")
end

function json.comma(depth)
  return depth == 1 and ",\n" or ","
end

function json.close(sequence, depth)
  return (depth == 1 and "\n" or "") .. (sequence and "]" or "}")
end

function json.key(name)
  return json_string(name) .. ":"
end

function json.name(key)
  local kind = type(key)
  if kind == "string" then
    if utf8.len(key) then
      return key
    end
    return nil, "a key that is not UTF-8 text cannot be written as JSON; use .msgpack"
  elseif kind == "number" then
    return math_type(key) == "integer" and format("%d", key) or export.float(key)
  elseif kind == "boolean" then
    return tostring(key)
  end
  return nil, "a " .. kind .. " as a key cannot be written as JSON"
end

export.json = json

---------------------------------------------------------------- msgpack

local msgpack = {}

-- The shortest of a fixed form, 8, 16 and 32 bits of length; codes are false where there is none.
local function msgpack_head(count, fixed, fixed_max, code8, code16, code32)
  if fixed and count <= fixed_max then
    return pack("B", fixed | count)
  elseif code8 and count < 0x100 then
    return pack("BB", code8, count)
  elseif count < 0x10000 then
    return pack(">BI2", code16, count)
  elseif count < 0x100000000 then
    return pack(">BI4", code32, count)
  end
  export.fail(1, "%d elements or bytes in one value cannot be written as msgpack", count)
end

local function msgpack_integer(value)
  if value >= 0 then
    if value < 0x80 then
      return pack("B", value)
    elseif value < 0x100 then
      return pack("BB", 0xCC, value)
    elseif value < 0x10000 then
      return pack(">BI2", 0xCD, value)
    elseif value < 0x100000000 then
      return pack(">BI4", 0xCE, value)
    end
    return pack(">BI8", 0xCF, value)
  elseif value >= -0x20 then
    return pack("b", value)
  elseif value >= -0x80 then
    return pack("Bb", 0xD0, value)
  elseif value >= -0x8000 then
    return pack(">Bi2", 0xD1, value)
  elseif value >= -0x80000000 then
    return pack(">Bi4", 0xD2, value)
  end
  return pack(">Bi8", 0xD3, value)
end

local function msgpack_string(value)
  if utf8.len(value) then
    return msgpack_head(#value, 0xA0, 31, 0xD9, 0xDA, 0xDB) .. value
  end
  return msgpack_head(#value, false, 0, 0xC4, 0xC5, 0xC6) .. value
end

function msgpack.scalar(value)
  local kind = math_type(value)
  if kind == "integer" then
    return msgpack_integer(value)
  elseif kind == "float" then
    return pack(">Bd", 0xCB, value)
  elseif type(value) == "string" then
    return msgpack_string(value)
  elseif type(value) == "boolean" then
    return value and "\xC3" or "\xC2"
  elseif value == nil then
    return "\xC0"
  end
  return msgpack_string(export.describe(value))
end

function msgpack.open(sequence, count)
  if sequence then
    return msgpack_head(count, 0x90, 15, false, 0xDC, 0xDD)
  end
  return msgpack_head(count, 0x80, 15, false, 0xDE, 0xDF)
end

function msgpack.comma()
  return ""
end

function msgpack.close()
  return ""
end

msgpack.key = msgpack.scalar

function msgpack.name(key)
  local kind = type(key)
  if kind == "table" then
    return nil, "a table as a key cannot be read by most msgpack readers"
  elseif type_rank[kind] then
    return key
  end
  return export.describe(key)
end

export.msgpack = msgpack

---------------------------------------------------------------- the walk

-- The tables between the root and where the walk is: parallel lists rather than a table each,
-- for the sake of deep nesting.
local Walk = {}
Walk.__index = Walk

local function new_walk(encoder, write, options)
  return setmetatable({
    encoder = encoder,
    write = write,
    lenient = options.lenient,
    maps = options.maps or 1,
    depth = 0,
    table = {}, -- the tables themselves
    held = {},  -- the same, or strong copies of weak ones
    keys = {},  -- sorted keys, or false for a sequence
    names = {}, -- what the keys are called, or false if just that
    count = {},
    at = {},    -- entry being written
    level = {}, -- of a table that is open: where it is in these lists
  }, Walk)
end

local function walk_step(walk, depth)
  local keys, at = walk.keys[depth], walk.at[depth]
  if keys then
    return keys[at]
  end
  return at
end

-- Where level `last` of the walk is, as the job would write it;
-- the middle of a long way is left out.
function Walk:path(last)
  local steps, first = {}, self.maps
  for depth = first, last do
    if last - first < 12 or depth < first + 5 or depth > last - 5 then
      steps[#steps + 1] = export.step(walk_step(self, depth))
    elseif depth == first + 5 then
      steps[#steps + 1] = " ... "
    end
  end
  return (concat(steps):gsub("^%.", ""))
end

function Walk:fail(...)
  local path = self:path(self.depth)
  export.fail(1, "%s%s", path == "" and "" or path .. ": ", format(...))
end

-- Names of the keys of the table on top, or false where they are their own names.
function Walk:name_keys(keys)
  local encoder, names, taken, all_own = self.encoder, {}, {}, true
  for i = 1, #keys do
    local key = keys[i]
    local name, why = encoder.name(key)
    if name == nil or taken[name] ~= nil then
      if not self.lenient then
        self:fail(why or "the keys %s and %s of one table would become one; use .msgpack",
                  export.step(taken[name]), export.step(key))
      end
      name = export.step(key)
      while taken[name] ~= nil do
        name = name .. "'"
      end
    end
    -- Two keys that are strings never clash: only the others must be remembered for all.
    taken[name] = key
    names[i] = name
    all_own = all_own and name == key
  end
  return not all_own and names
end

local function all_plain(keys)
  for i = 1, #keys do
    if type(keys[i]) ~= "string" or not utf8.len(keys[i]) then
      return false
    end
  end
  return true
end

function Walk:enter(t)
  local held = hold(t)
  local count, sequence = export.count(held)
  sequence = sequence and self.depth >= self.maps
  local keys, names = false, false
  if not sequence then
    keys = export.sorted_keys(held)
    names = not all_plain(keys) and self:name_keys(keys)
  end
  local depth = self.depth + 1
  self.depth, self.level[t] = depth, depth
  self.table[depth], self.held[depth] = t, held
  self.keys[depth], self.names[depth] = keys, names
  self.count[depth], self.at[depth] = count, 0
  self.write(self.encoder.open(sequence, count, depth))
end

function Walk:leave()
  local depth = self.depth
  self.write(self.encoder.close(not self.keys[depth], depth))
  self.level[self.table[depth]] = nil
  self.table[depth], self.held[depth] = nil, nil
  self.keys[depth], self.names[depth] = nil, nil
  self.depth = depth - 1
end

function Walk:value(value)
  if type(value) ~= "table" or export.describe(value) then
    return self.write(self.encoder.scalar(value))
  end
  local level = self.level[value]
  if not level then
    return self:enter(value)
  end
  local where = self:path(level - 1)
  if not self.lenient then
    self:fail("it is %s again, and a cycle cannot be exported; "
              .. "have the job ckpt.save what is wanted without it, and export that",
              where == "" and "everything" or where)
  end
  self.write(self.encoder.scalar("cycle to " .. where))
end

-- One entry of the table on top, or its end.
function Walk:advance()
  local depth = self.depth
  local at = self.at[depth] + 1
  if at > self.count[depth] then
    return self:leave()
  end
  self.at[depth] = at
  if at > 1 then
    self.write(self.encoder.comma(depth))
  end
  local keys, key = self.keys[depth], at
  if keys then
    key = keys[at]
    local names = self.names[depth]
    self.write(self.encoder.key(names and names[at] or key))
  end
  self:value(rawget(self.held[depth], key))
end

-- Hands the text of table root to write. options, all optional:
--   maps     so many levels are maps even where they are empty, and variables are at the last of
--            them (1)
--   lenient  what cannot be written becomes a description instead of an error
function export.encode(encoder, root, write, options)
  local walk = new_walk(encoder, write, options or {})
  walk:enter(root)
  while walk.depth > 0 do
    walk:advance()
  end
end

---------------------------------------------------------------- the command

local encoders = { json = json, msgpack = msgpack }

local function choose_encoder(out)
  local ending = out:match("%.([^./]*)$")
  if ending == "mat" then
    export.fail(2, "%s: export to .mat: not in this version", out)
  end
  return encoders[ending] or export.fail(2, "%s: cannot tell the format; "
                                         .. "end the name in .json or .msgpack", out)
end

-- host: load(file), same(file, other), create(file) with methods write(text, ...) and commit()
function export.run(host, _, file, out, ...)
  if not out or ... then
    export.fail(2, "export needs a snapshot and an output; usage: ckptlua export FILE OUT")
  end
  local encoder = choose_encoder(out)
  if host.same(file, out) then
    export.fail(2, "%s is the snapshot itself; export to another file", out)
  end
  local variables = export.load(host, "load", file)
  local output = host.create(out)
  local pieces, count = {}, 0
  local function flush()
    output:write(concat(pieces, "", 1, count))
    count = 0
  end
  export.encode(encoder, variables, function(text)
    count = count + 1
    pieces[count] = text
    if count == 256 then
      flush()
    end
  end)
  flush()
  if encoder == json then
    output:write("\n")
  end
  output:commit()
end

return export
