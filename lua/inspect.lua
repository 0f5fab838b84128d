-- Shows what is in a snapshot: `ckptlua inspect`.
--
-- The header's fields are listed in docs/format.md. Any of them may be missing or, in a snapshot
-- made by somebody else, of another type: what is not as expected is not shown. The same goes for
-- the metatables of values: only raw access here.

local export = require "export"

local inspect = {}

local LABEL_WIDTH = 11    -- columns
local LINE_WIDTH = 76     -- a table that fits is shown in one line
local RUNS_SHOWN = 10
local ELEMENTS_SHOWN = 8  -- of the sequence of a table
local FIELDS_SHOWN = 12   -- of its other entries
local DEPTH_SHOWN = 3
local STRING_SHOWN = 40   -- bytes of a string in the list of variables

---------------------------------------------------------------- numbers and texts for people

-- Digits enough to read back, none that say nothing: 5.0 is 5 here.
local function plain(x)
  return (("%.14g"):format(x))
end

function inspect.size(bytes)
  local units, unit = { "bytes", "KB", "MB", "GB", "TB", "PB", "EB" }, 1
  while bytes >= 999.5 and unit < #units do
    bytes, unit = bytes / 1000, unit + 1
  end
  if unit == 1 then
    return ("%.0f %s"):format(bytes, bytes == 1 and "byte" or "bytes")
  end
  -- 9.96 would become "10.0"
  return (bytes < 9.95 and "%.1f %s" or "%.0f %s"):format(bytes, units[unit])
end

-- 340 ms, 4.1 s, 18 s, 2 m 5 s, 1 h 12 m, 3 d 4 h
function inspect.duration(seconds)
  if seconds <= 0 then
    return "0 s"
  elseif seconds < 0.9995 then
    return ("%.0f ms"):format(seconds * 1000)
  elseif seconds < 9.95 then
    return ("%.1f s"):format(seconds)
  end
  local units = { { "d", 86400 }, { "h", 3600 }, { "m", 60 }, { "s", 1 } }
  seconds = math.floor(math.min(seconds, 1e15) + 0.5)
  for i, unit in ipairs(units) do
    local name, length = unit[1], unit[2]
    if seconds >= length then
      local text = ("%d %s"):format(seconds // length, name)
      local smaller = units[i + 1]
      local rest = smaller and seconds % length // smaller[2] or 0
      return rest > 0 and ("%s %d %s"):format(text, rest, smaller[1]) or text
    end
  end
end

function inspect.percent(part, whole)
  local share = 100 * part / whole
  return (share < 0.1 and "%.2f %%" or share < 10 and "%.1f %%" or "%.0f %%"):format(share)
end

function inspect.plural(count, one, many)
  return ("%.0f %s"):format(count, count == 1 and one or many or one .. "s")
end

-- A string from a snapshot, without anything that a terminal would obey.
function inspect.clean(text)
  local quoted = export.quote(text)
  return (quoted:sub(2, -2):gsub('\\(["\\])', "%1"))
end

---------------------------------------------------------------- fields of the header

local function field_of_type(t, name, wanted)
  local value = type(t) == "table" and rawget(t, name) or nil
  if type(value) == wanted then
    return value
  end
end

local function text_of(t, name)
  local value = field_of_type(t, name, "string")
  return value and value ~= "" and inspect.clean(value) or nil
end

-- A finite number, so that any arithmetic may follow.
local function number_of(t, name)
  local value = field_of_type(t, name, "number")
  if value and value - value == 0 then
    return value
  end
end

local function table_of(t, name)
  return field_of_type(t, name, "table") or {}
end

local function utc(seconds, form)
  local ok, text = pcall(os.date, "!" .. form, seconds // 1)
  return ok and text or "?"
end

-- Appends ", "-separated parts that are there.
local function listed(...)
  local parts = {}
  for i = 1, select("#", ...) do
    parts[#parts + 1] = (select(i, ...)) or nil
  end
  return #parts > 0 and table.concat(parts, ", ") or nil
end

-- text with the value in the place of %s, or nil when there is no value
local function with(text, value)
  return value and (text:gsub("%%s", function() return tostring(value) end))
end

local function whole(t, name)
  local value = number_of(t, name)
  return value and ("%.0f"):format(value)
end

---------------------------------------------------------------- the lines of the header

local line_of = {}

local function argument_list(arguments)
  local words = {}
  for i = 1, rawlen(arguments) do
    local word = rawget(arguments, i)
    word = type(word) == "string" and word or "?"
    words[i] = word:find("^[%w%._/=+:,@%%-]+$") and word or export.quote(word)
  end
  return #words > 0 and table.concat(words, " ") or "none"
end

function line_of.script(header)
  local script = table_of(header, "script")
  local name, hash = text_of(script, "name"), field_of_type(script, "hash", "string")
  if not name then
    return nil
  end
  if hash and not hash:find("^%x+$") then
    hash = hash:gsub(".", function(byte) return ("%02x"):format(byte:byte()) end)
  end
  local arguments = field_of_type(header, "arguments", "table")
  return listed(name .. (with(" (hash %s)", hash and hash:sub(1, 8)) or ""),
                with("arguments: %s", arguments and argument_list(arguments)),
                with("seed %s", whole(header, "seed")))
end

function line_of.saved(header)
  local saved, reason = number_of(header, "saved"), text_of(header, "reason")
  if not saved then
    return nil
  end
  if reason then
    -- "the interval had passed" is a sentence; "SIGTERM" and "a signal" are none.
    local sentence = reason:find " " and not reason:find "^an? "
    reason = (sentence and "because " or "because of ") .. reason
  end
  return listed(utc(saved, "%Y-%m-%d %H:%M:%S UTC")
                .. (with(" on %s", text_of(header, "host")) or ""), reason)
end

function line_of.machine(header)
  return listed(text_of(header, "machine"), text_of(header, "features"))
end

local function number_of_runs(header)
  local run, resumed = number_of(header, "run"), number_of(header, "resumed")
  return run or resumed and resumed + 1 or rawlen(table_of(header, "runs"))
end

function line_of.work(header)
  local computed, saving = number_of(header, "computed"), number_of(header, "saving")
  local spent
  if saving then
    local all = saving + (computed or 0)
    local share = computed and all > 0 and (" (%s)"):format(inspect.percent(saving, all)) or ""
    spent = inspect.duration(saving) .. share .. " spent saving"
  end
  local saves, runs = number_of(header, "saves"), number_of_runs(header)
  return listed(with("%s computed", computed and inspect.duration(computed)), spent,
                saves and inspect.plural(saves, "save"), runs > 0 and inspect.plural(runs, "run"))
end

local function run_times(run, today)
  local start, stop = number_of(run, "start"), number_of(run, "end")
  if not start then
    return ""
  end
  local function moment(seconds, known_day)
    local day = utc(seconds, "%Y-%m-%d")
    return (day == known_day and "" or day .. " ") .. utc(seconds, "%H:%M"), day
  end
  local from, day = moment(start, today)
  return from .. "-" .. (stop and moment(stop, day) or "")
end

-- Rows of equal columns, the last one as long as it is.
local function in_columns(rows)
  local widths, lines = {}, {}
  for _, row in ipairs(rows) do
    for column = 1, #row - 1 do
      widths[column] = math.max(widths[column] or 0, utf8.len(row[column]) or #row[column])
    end
  end
  for i, row in ipairs(rows) do
    local cells = {}
    for column, cell in ipairs(row) do
      local fill = (widths[column] or 0) - (utf8.len(cell) or #cell)
      cells[column] = cell .. (" "):rep(fill)
    end
    local line = table.concat(cells, "  ")
    local last = #line
    while line:byte(last) == 32 do
      last = last - 1
    end
    lines[i] = line:sub(1, last)
  end
  return table.concat(lines, "\n")
end

function line_of.runs(header)
  local runs, rows = table_of(header, "runs"), {}
  local count = rawlen(runs)
  local number = number_of_runs(header) - count
  local saved = number_of(header, "saved")
  local today = saved and utc(saved, "%Y-%m-%d")
  for i = math.max(1, count - RUNS_SHOWN + 1), count do
    local run = rawget(runs, i)
    local lost = number_of(run, "lost")
    local ended = text_of(run, "ended") or ""
    if lost and lost > 0 then
      ended = ended .. (ended ~= "" and "; " or "") .. inspect.duration(lost) .. " of work lost"
    end
    rows[#rows + 1] = { ("%.0f"):format(number + i), text_of(run, "host") or "",
                        run_times(run, today), ended }
  end
  if count > RUNS_SHOWN then
    local earlier = inspect.plural(number + count - RUNS_SHOWN, "earlier run")
    table.insert(rows, 1, { "...", "", earlier, "" })
  end
  return #rows > 0 and in_columns(rows) or nil
end

-- The layers of exact resume (docs/limits.md), in the order in which they build on each other.
local layers = {
  { "calls", "calls" },
  { "seed", "hash seed" },
  { "layout", "layout of tables" },
  { "addresses", "addresses" },
  { "collector", "moments of the collector" },
}

function line_of.exact(header)
  local told = field_of_type(header, "layers", "table")
  local kept, lost = {}, {}
  for _, layer in ipairs(layers) do
    local list = told and rawget(told, layer[1]) == true and kept or lost
    list[#list + 1] = layer[2]
  end
  local function joined(list)
    return #list > 0 and table.concat(list, ", ") or nil
  end
  return told and joined(kept) and joined(kept) .. (with("; not kept: %s", joined(lost)) or "")
end

function line_of.resumes(header)
  local place = text_of(header, "place")
  return place and "at " .. place
end

function line_of.progress(header)
  local progress = table_of(header, "progress")
  local done, total = number_of(progress, "done"), number_of(progress, "total")
  local amount = done and plain(done)
  if done and total then
    amount = amount .. " of " .. plain(total)
  end
  return listed(amount, text_of(progress, "text"))
end

function line_of.finished(header)
  local finished = field_of_type(header, "finished", "table")
  local code = whole(finished, "code")
  return finished and "the job has ended" .. (with(" with exit code %s", code) or "")
end

local function head(file, header)
  local workspace = rawget(header, "kind") == "workspace"
  local name = inspect.clean(file)
  local lua = text_of(header, "lua")
  if lua and not lua:find("^Lua") then
    lua = "Lua " .. lua
  end
  local what = with("ckptlua %s", text_of(header, "version")) or "ckptlua"
  what = what .. (workspace and " workspace" or " snapshot")
  local bytes = number_of(header, "bytes")
  return ("%-" .. LABEL_WIDTH .. "s%s"):format(
    #name < LABEL_WIDTH and name or name .. "  ",
    listed(what, with("format %s", whole(header, "ckptlua")),
           bytes and inspect.size(bytes), "checksum good",
           with("generation %s", whole(header, "generation")), lua))
end

local function labelled(label, text)
  local indent = "\n" .. (" "):rep(LABEL_WIDTH)
  return ("%-" .. LABEL_WIDTH .. "s%s"):format(label, (text:gsub("\n", indent)))
end

function inspect.header(file, header)
  local lines = { head(file, header) }
  for _, label in ipairs { "script", "saved", "machine", "work", "runs", "exact", "resumes",
                           "progress", "finished" } do
    local text = line_of[label](header)
    if text then
      lines[#lines + 1] = labelled(label, text)
    end
  end
  return table.concat(lines, "\n")
end

---------------------------------------------------------------- the list of variables

local function number_text(value)
  return math.type(value) == "integer" and ("%d"):format(value) or export.float(value)
end

-- Cut where a character begins.
local function shortened(text)
  if #text <= STRING_SHOWN then
    return export.quote(text)
  end
  local last = STRING_SHOWN
  if utf8.len(text) then
    last = utf8.offset(text, 0, STRING_SHOWN + 1) - 1
  end
  return export.quote(text:sub(1, last)) .. "..."
end

local function shape(t)
  local elements = rawlen(t)
  local fields = 0
  for key in next, t do
    if not (math.type(key) == "integer" and key >= 1 and key <= elements) then
      fields = fields + 1
    end
  end
  return elements, fields
end

local function table_shape(t)
  local elements, fields = shape(t)
  return listed(elements > 0 and inspect.plural(elements, "element"),
                fields > 0 and inspect.plural(fields, elements > 0 and "other" or "field"))
         or "empty"
end

local function type_and_shape(value)
  local kind = math.type(value) or type(value)
  if kind == "table" and not export.describe(value) then
    return kind, table_shape(value)
  elseif kind == "string" then
    return kind, inspect.plural(#value, "byte") .. "  " .. shortened(value)
  elseif kind == "integer" or kind == "float" then
    return kind, number_text(value)
  elseif kind == "boolean" then
    return kind, tostring(value)
  end
  -- "function f", "transient A"
  local text = inspect.clean(export.describe(value)):gsub("^Lua ", "")
  local first, rest = text:match("^(%S+) (.*)$")
  return first or text, rest or ""
end

-- One line each, sorted by name.
function inspect.list(variables)
  local rows = {}
  for i, key in ipairs(export.sorted_keys(variables)) do
    local name = type(key) == "string" and inspect.clean(key) or export.step(key)
    rows[i] = { name, type_and_shape(rawget(variables, key)) }
  end
  return #rows > 0 and in_columns(rows) or "none"
end

---------------------------------------------------------------- values

local render -- the two call each other, to DEPTH_SHOWN

-- The parts of a table as text, and what to say of the rest.
local function parts_of(t, path, depth, above)
  local elements, fields = shape(t)
  local parts, shown = {}, 0
  local shown_elements = math.min(elements, ELEMENTS_SHOWN)
  for i = 1, shown_elements do
    parts[i] = render(rawget(t, i), path .. export.step(i), depth + 1, above)
  end
  -- Only when fields exist: sorting a long sequence for nothing takes its time.
  for _, key in ipairs(fields > 0 and export.sorted_keys(t) or {}) do
    if shown == FIELDS_SHOWN then
      break
    end
    if not (math.type(key) == "integer" and key >= 1 and key <= elements) then
      shown = shown + 1
      local step = export.step(key)
      local name = step:sub(1, 1) == "." and step:sub(2) or step
      parts[#parts + 1] = name .. " = " .. render(rawget(t, key), path .. step, depth + 1, above)
    end
  end
  if shown_elements < elements or shown < fields then
    parts[#parts + 1] = "... (" .. table_shape(t) .. ")"
  end
  return parts
end

local function render_table(t, path, depth, above)
  if above[t] then
    return "<cycle to " .. above[t] .. ">"
  elseif next(t) == nil then
    return "{}"
  elseif depth > DEPTH_SHOWN then
    return "{ ... (" .. table_shape(t) .. ") }"
  end
  above[t] = path
  local parts = parts_of(t, path, depth, above)
  above[t] = nil
  local line = "{ " .. table.concat(parts, ", ") .. " }"
  local nested = line:find("{", 2, true) or line:find(" = ", 1, true)
  if #line <= LINE_WIDTH - 4 * (depth - 1) or not nested then
    return line
  end
  local block = table.concat(parts, ",\n"):gsub("\n", "\n    ")
  return "{\n    " .. block .. "\n}"
end

function render(value, path, depth, above)
  local kind = type(value)
  if kind == "table" and not export.describe(value) then
    return render_table(value, path, depth, above)
  elseif kind == "string" then
    return depth > 1 and shortened(value) or export.quote(value)
  elseif kind == "number" then
    return number_text(value)
  elseif kind == "boolean" then
    return tostring(value)
  end
  return "<" .. inspect.clean(export.describe(value)) .. ">"
end

-- The value as Lua would write it, long tables cut short.
function inspect.value(name, value)
  return render(value, name, 1, {})
end

---------------------------------------------------------------- finding a variable

local quoted_escapes = { n = "\n", r = "\r", t = "\t" }

local function unquote(text)
  text = text:gsub("\\x(%x%x)", function(hex) return "\\" .. tonumber(hex, 16) .. ";" end)
  text = text:gsub("\\(%d+);", function(code) return string.char(code) end)
  return (text:gsub("\\(.)", function(char) return quoted_escapes[char] or char end))
end

-- The first key of a path and what follows, or nil if that is no path.
local function next_key(path, first)
  local name, rest = path:match(first and "^([^%.%[%]]+)(.*)$" or "^%.([^%.%[%]]+)(.*)$")
  if name then
    return name, rest
  end
  local inside
  inside, rest = path:match("^%[([^%]\"']+)%](.*)$")
  if inside == "true" or inside == "false" then
    return inside == "true", rest
  elseif inside then
    return tonumber(inside), rest
  end
  for _, pattern in ipairs { '^%["(.-)"%](.*)$', "^%['(.-)'%](.*)$" } do
    inside, rest = path:match(pattern)
    if inside then
      return unquote(inside), rest
    end
  end
end

local function variable_names(variables)
  local names = {}
  for _, key in ipairs(export.sorted_keys(variables)) do
    if #names == 12 then
      names[13] = "..."
      break
    end
    names[#names + 1] = inspect.clean(tostring(key))
  end
  return #names > 0 and table.concat(names, ", ") or "no global variables"
end

local function missing(file, name, so_far, container, variables)
  if so_far == "" then
    export.fail(1, "%s: no such variable in %s; it has %s", name, file,
                variable_names(variables))
  elseif type(container) ~= "table" then
    export.fail(1, "%s: %s is no table but %s", name, so_far,
                inspect.clean(table.concat({ type_and_shape(container) }, " ")))
  end
  export.fail(1, "%s: not in %s, which is a table (%s)", name, so_far, table_shape(container))
end

-- The value of state.x, x[3] or state["odd name"].
function inspect.find(file, variables, name)
  local value = rawget(variables, name)
  if value ~= nil then
    return value
  end
  local container, rest, so_far, shown = variables, name, "", inspect.clean(name)
  while rest ~= "" do
    local key, after = next_key(rest, so_far == "")
    if key == nil then
      export.fail(2, "%s: cannot read this as a variable; write x, state.x, x[3] or x[\"a b\"]",
                  shown)
    end
    value = type(container) == "table" and rawget(container, key) or nil
    if type(container) == "table" and rawget(container, key) == false then
      value = false
    end
    if value == nil then
      missing(file, shown, so_far, container, variables)
    end
    so_far = inspect.clean(name:sub(1, #name - #after))
    container, rest = value, after
  end
  return value
end

---------------------------------------------------------------- the command

local function chosen(file, variables, names)
  local values = {}
  for i, name in ipairs(names) do
    values[i] = inspect.find(file, variables, name)
  end
  return values
end

local function print_values(write, names, values)
  for i, name in ipairs(names) do
    local shown = inspect.clean(name)
    write(shown .. " = " .. inspect.value(shown, values[i]) .. "\n")
  end
end

local function print_json(write, header, variables, names, values)
  if #names > 0 then
    variables = {}
    for i, name in ipairs(names) do
      variables[name] = values[i]
    end
  end
  export.encode(export.json, { header = header, variables = variables }, write,
                { maps = 2, lenient = true })
  write("\n")
end

-- host: load(file), load_header(file), and write(text) in place of io.write
function inspect.run(host, options, file, ...)
  if not file then
    export.fail(2, "inspect needs a snapshot; usage: ckptlua inspect [--json] FILE [NAME ...]")
  end
  local write = host.write or io.write
  local names = { ... }
  local header = export.load(host, "load_header", file)
  local variables = export.load(host, "load", file)
  local values = chosen(file, variables, names)
  if options.json then
    print_json(write, header, variables, names, values)
  elseif #names > 0 then
    print_values(write, names, values)
  else
    local label = rawget(header, "kind") == "workspace" and "variables" or "globals"
    write(inspect.header(file, header) .. "\n")
    write(labelled(label, inspect.list(variables)) .. "\n")
  end
end

return inspect
