-- What two runs of a job have left, side by side: the items of the table that `ckptlua verify`
-- prints.

local compare = require "compare"
local export = require "export"
local inspect = require "inspect"

local differences = {}

local plural, duration = inspect.plural, inspect.duration

-- What the processes of a place have said last, without the tracebacks.
function differences.last_words(place)
  local lines = {}
  for line in io.lines(place.stderr) do
    if line:find "^ckptlua: " and not line:find "^ckptlua: continuing " then
      lines[#lines + 1] = compare.shown(line)
    end
  end
  return table.concat(lines, "\n", math.max(1, #lines - 2))
end

-- All that they have said, and not taken back when the job continued.
function differences.all_words(place)
  local file <close> = assert(io.open(place.stderr, "rb"))
  return file:read "a"
end

-- "0", "SIGSEGV"
function differences.outcome(run)
  return run.signal and "SIG" .. run.signal or ("%d"):format(run.code)
end

-- After which kill something at that offset came: lengths[i] is where process i began.
local function after_what(steps, offset, length_at)
  local last = 1
  for i, step in ipairs(steps) do
    local length = length_at(step)
    if length and length <= offset then
      last = i
    end
  end
  local kill = last > 1 and steps[last - 1].kill
  if kill then
    return (", after kill %d (SIG%s, %s into the work)"):format(
      kill.number, kill.signal, duration(steps[last - 1].work))
  end
  return last > 1 and ", after it had been run again" or ", before the first kill"
end

local function two_lines(a, b)
  return { "undisturbed: " .. a, "with kills : " .. b }
end

-- What of two files is not the same, as text and lines of details; nil where nothing is.
local function file_difference(undisturbed, killed, steps, length_at)
  local found = compare.files(undisturbed, killed)
  if not found then
    return nil
  end
  local after = steps and after_what(steps, found.offset, length_at) or ""
  if found.binary then
    return ("at byte %d%s"):format(found.offset + 1, after), {}
  end
  return ("at line %d%s"):format(found.line, after),
         two_lines(compare.shown(found.undisturbed), compare.shown(found.killed)), found
end

local function compare_stdout(v)
  local a, b = v.first.place.stdout, v.second.place.stdout
  local text, details, found = file_difference(a, b, v.second.steps,
                                               function(step) return step.output end)
  local lines = compare.lines(a)
  return { name = "stdout", same = text == nil, details = details, found = found, lines = lines,
           text = text or plural(lines, "line") }
end

local function compare_codes(v)
  local a, b = differences.outcome(v.first), differences.outcome(v.second)
  local details = {}
  if a ~= b then
    for line in differences.last_words(v.second.place):gmatch "[^\n]+" do
      details[#details + 1] = line
    end
  end
  return { name = "exit code", same = a == b, details = details,
           text = a == b and a or ("%s undisturbed, %s with kills"):format(a, b) }
end

-- Only of a file that has grown from process to process can be told which of them wrote a byte.
local function growth(steps, path)
  local first, last
  for _, step in ipairs(steps) do
    local length = step.files and step.files[path]
    if length and last and length < last then
      return nil
    end
    first, last = first or length, length or last
  end
  -- Where it is not listed it was not there yet, or as it was before the job.
  return first and last > first and function(step) return step.files and (step.files[path] or 0) end
end

local function load_both(v, a, b)
  return export.load(v.host, "load", a), export.load(v.host, "load", b)
end

local function value_difference(difference)
  local function shown(value)
    local text = inspect.value("", value):gsub("%s*\n%s*", " ")
    return compare.shown(text)
  end
  return "at " .. difference.path,
         two_lines(shown(difference.undisturbed), shown(difference.killed))
end

-- A snapshot that the job has written by ckpt.save tells when: its values are what counts.
local function compare_contents(v, path, a, b)
  if compare.is_snapshot(a) and compare.is_snapshot(b) then
    local difference = compare.values(load_both(v, a, b))
    if not difference then
      return nil, nil, nil, "values of a snapshot"
    end
    return value_difference(difference)
  end
  local length_at = growth(v.second.steps, path)
  return file_difference(a, b, length_at and v.second.steps, length_at)
end

local function compare_file(v, path, a, b)
  local item = { name = inspect.clean(path), file = true, details = {},
                 by_first = a and a.changed > v.first.place.stamp }
  if not a or not b then
    item.text = a and "there without kills only" or "there with kills only"
  elseif a.kind ~= b.kind or a.target ~= b.target then
    item.text = "of another kind: " .. a.kind .. ", " .. b.kind
  elseif a.kind == "file" and a.mode ~= b.mode then
    item.text = ("permissions: %o, %o"):format(a.mode, b.mode)
  elseif a.kind == "file" then
    local what
    item.text, item.details, item.found, what = compare_contents(
      v, path, v.first.place.work .. "/" .. path, v.second.place.work .. "/" .. path)
    item.same = item.text == nil
    item.text = item.text or what or plural(a.size, "byte")
  else
    item.same, item.text = true, a.kind
  end
  return item
end

-- One item for each file that one of the runs has made, changed or removed.
local function compare_all_files(v)
  local one, other = v.host.list(v.first.place.work), v.host.list(v.second.place.work)
  local function is_new(entry, place)
    return entry and entry.kind ~= "folder" and entry.changed > place.stamp
  end
  local items, paths = {}, {}
  for path in pairs(one) do
    paths[path] = true
  end
  for path in pairs(other) do
    paths[path] = true
  end
  for _, path in ipairs(export.sorted_keys(paths)) do
    local a, b = one[path], other[path]
    if not a or not b or is_new(a, v.first.place) or is_new(b, v.second.place) then
      items[#items + 1] = compare_file(v, path, a, b)
    end
  end
  return items
end

local function compare_states(v)
  local item = { name = "state", same = true }
  local a, b = v.first.place.snapshot, v.second.place.snapshot
  if v.state_problem then
    item.unknown = "the last one cannot be saved: " .. v.state_problem
  elseif not (v.first.last and v.first.last.finished) then
    item.unknown = "a job that ends with an exit code does not leave its last one"
  elseif not (v.second.last and v.second.last.finished) then
    item.same, item.text = false, "there is none with kills"
  else
    local one, other = load_both(v, a, b)
    local difference, unseen = compare.values(one, other)
    item.same, item.text = difference == nil, plural(export.count(one), "variable")
    if difference then
      item.text, item.details = value_difference(difference)
    elseif compare.random_state(a) ~= compare.random_state(b) then
      item.same, item.text = false, "at math.random, which is at another number"
    elseif unseen > 0 then
      item.text = item.text .. ("; %s could not be looked into"):format(plural(unseen, "value"))
    end
  end
  return item
end

-- What two runs (v.first, v.second; see series.run) have left, one item each:
--     name, text      as they are printed
--     same            whether it is, bit for bit
--     details         lines that follow where it is not
--     unknown         why it could not be compared
--     file            whether it is a file that the job wrote
--     found           of files: what compare.files told
function differences.list(v)
  local items = { compare_stdout(v), compare_codes(v) }
  local files = compare_all_files(v)
  table.move(files, 1, #files, #items + 1, items)
  items[#items + 1] = compare_states(v)
  return items
end

return differences
