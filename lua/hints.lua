-- Guesses why a job does not resume exactly, by a simple look at its text and at what differs. They
-- end with a question mark: only what is certain is told without.

local differences = require "differences"

local hints = {}

local ADDRESS = "0x%x%x%x%x%x+"

-- { function's name -> number of the first line that has it }, comments left out.
local function mentions(path)
  local found, number = {}, 0
  local file <close> = io.open(path, "r")
  for line in file and file:lines() or function() end do
    number = number + 1
    line = line:gsub("%-%-.*", "")
    for name in line:gmatch "[%a_][%w_.]*" do
      found[name] = found[name] or number
    end
    if line:find "collectgarbage%s*%(?%s*[\"']count" then
      found["collectgarbage 'count'"] = found["collectgarbage 'count'"] or number
    end
  end
  return found
end

-- "os.time, job.lua:12", or nil where none of the functions is used
local function where(v, found, names)
  for _, name in ipairs(names) do
    if found[name] then
      return ("%s, %s:%d"):format(name, v.name, found[name])
    end
  end
end

local function addresses(line)
  local list = {}
  for address in line:gmatch(ADDRESS) do
    list[#list + 1] = address
  end
  return table.concat(list, " ")
end

-- Whether there is a difference between addresses.
local function shows_addresses(items)
  for _, item in ipairs(items) do
    local lines = not item.same and item.details or {}
    local one, other = addresses(lines[1] or ""), addresses(lines[2] or "")
    if one ~= "" and other ~= "" and one ~= other then
      return true
    end
  end
end

local function only_files_differ(items)
  local some = false
  for _, item in ipairs(items) do
    if not item.same and not item.unknown and not item.file then
      return false
    end
    some = some or not item.same
  end
  return some
end

-- What the host itself has told of local variables that are lost.
local function lost_local(v)
  return differences.all_words(v.second.place):match "ckptlua: (local '[^\n]* is not kept[^\n]*)"
end

-- What is likely to be the cause, the most telling first.
local function causes(v, items)
  local found = mentions(v.inside and v.first.place.work .. "/" .. v.script or v.script)
  local outside = where(v, found, { "os.execute", "io.popen" })
  return {
    { shows_addresses(items),
      "it printed an address (%p or tostring) that is another one in each process?" },
    { only_files_differ(items) and outside,
      "another program changed a file, which cannot be taken back (%s)?" },
    { lost_local(v), "%s?" },
    { where(v, found, { "os.time", "os.date", "os.clock" }),
      "something in it depends on the time of day (%s)?" },
    { outside, "it depends on another program (%s)?" },
    { where(v, found, { "os.tmpname" }), "it depends on the name of a temporary file (%s)?" },
    { where(v, found, { "collectgarbage 'count'" }),
      "it depends on how much memory is in use, ckptlua's own included (%s)?" },
    { where(v, found, { "collectgarbage", "__gc", "__mode" }),
      "it depends on what the collector has freed by then (%s)?" },
    { where(v, found, { "pairs", "next" }), "it depends on the order of a table's keys (%s)?" },
  }
end

-- The likely cause as text, or nil.
function hints.cause(v, items)
  for _, cause in ipairs(causes(v, items)) do
    if cause[1] then
      return cause[1] == true and cause[2] or cause[2]:format(cause[1])
    end
  end
end

return hints
