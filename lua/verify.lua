-- Proves that a job resumes: `ckptlua verify`. It runs the job undisturbed, then again while
-- killing it (series.lua), in copies of the current folder, and compares what both have left
-- (compare.lua). What host can do is told in host/cli/verify_run.h and its neighbours.

local differences = require "differences"
local export = require "export"
local hints = require "hints"
local inspect = require "inspect"
local series = require "series"

local verify = {}

local KILLS, TIMEOUT = 20, "1h"
local MOST_COPIED = 1000000000 -- bytes
local LABEL_WIDTH = 11
local BAR_WIDTH = 20
local FILES_SHOWN = 20   -- that are the same
local TOO_SHORT = 0.02   -- seconds of work between two kills
local SHORTEST_INTERVAL = 0.001

local plural, duration = inspect.plural, inspect.duration

---------------------------------------------------------------- what is asked for

local function whole_number(own, name, least)
  local text = own[name]
  local value = text and text:find "^%-?%d+$" and math.tointeger(tonumber(text))
  if text and (not value or value < least) then
    export.fail(2, "--%s: '%s' is not a number%s", name, text,
                least > 0 and (" from %d on"):format(least) or "")
  end
  return value or nil
end

local units = { ms = 0.001, s = 1, m = 60, h = 3600, d = 86400 }

local function seconds_of(name, text)
  local number, unit = text:match "^(%d+%.?%d*)(%a+)$"
  local seconds = number and units[unit] and tonumber(number) * units[unit]
  if not seconds or seconds <= 0 then
    export.fail(2, "--%s: '%s' is not a duration; write 500ms, 60s, 5m, 4h or 1d", name, text)
  end
  return seconds
end

local function job_option(options, name)
  return options.job[name] or os.getenv("CKPTLUA_" .. name:upper())
end

-- All that is known before the first run. The job's seed is that of the kills, so that one number
-- replays all.
local function settings(host, options)
  local own = options.own
  local script, outside = host.place(options.script)
  if not script and not outside then
    export.fail(2, "%s: no such file", options.script)
  end
  local name = options.script:match "[^/]*$"
  local kill_seed = whole_number(own, "kill-seed", math.mininteger) or math.random(0, 99999)
  return {
    host = host, options = options, script = script or outside, inside = script ~= nil,
    name = name, snapshot = name:gsub("%.lua$", "") .. ".ckpt",
    kills = whole_number(own, "kills", 1) or KILLS,
    kill_seed = kill_seed, seed = job_option(options, "seed") or tostring(kill_seed),
    interval = job_option(options, "interval"),
    timeout_text = own.timeout or TIMEOUT, timeout = seconds_of("timeout", own.timeout or TIMEOUT),
    on_finish = "keep",
    drawn = (options.terminal or options.job.progress) and not options.job.quiet,
  }
end

---------------------------------------------------------------- scratch directories

-- host.copy, its failures being those of wrong use: something cannot be read.
local function copy(v, from, to, limit)
  local ok, result = pcall(v.host.copy, from, to, limit, v.scratch:path())
  if ok then
    return result
  elseif type(result) == "table" then
    series.check(result.stopped)
  end
  export.fail(2, "%s%s", result, #v.options.inputs == 0 and
              "; with --input FILE only what is named and the script are copied" or "")
end

-- Paths below the current folder, each once.
local function input_places(v)
  local places = {}
  if v.inside then
    places[v.script] = true
  end
  for _, input in ipairs(v.options.inputs) do
    local place, outside = v.host.place(input)
    if not place then
      export.fail(2, outside and "--input %s: it is not below the current folder, from where the "
                  .. "job could read it under that name" or "--input %s: no such file", input)
    end
    places[place] = true
  end
  return places
end

local function check_size(v)
  if #v.options.inputs == 0 and not copy(v, ".", nil, MOST_COPIED) then
    export.fail(2, "the current folder holds more than %s, too much to copy; name the files that "
                .. "the job reads: --input FILE, several times if need be (the script is copied "
                .. "anyway)", inspect.size(MOST_COPIED))
  end
end

-- A fresh copy for one run of the job.
local function new_place(v, name)
  local folder = v.scratch:path() .. "/" .. name
  local place = { folder = folder, work = folder .. "/work", stdout = folder .. "/stdout",
                  stderr = folder .. "/stderr", snapshot = folder .. "/" .. v.snapshot }
  if #v.options.inputs == 0 then
    copy(v, ".", place.work)
  else
    for _, path in ipairs(export.sorted_keys(input_places(v))) do
      copy(v, path, place.work .. "/" .. path)
    end
  end
  place.stamp = v.host.stamp(folder)
  return place
end

local dropped = { interval = true, seed = true, progress = true, quiet = true, verbose = true }

local function set_words(v, place, interval)
  local words = {}
  for _, word in ipairs(v.options.words) do
    if not dropped[word:match "^%-%-([%w-]+)"] then
      words[#words + 1] = word
    end
  end
  for _, word in ipairs { "--interval", interval, "--seed", v.seed, "--snapshot", place.snapshot,
                          "--on-finish", v.on_finish, "--", v.script } do
    words[#words + 1] = word
  end
  table.move(v.options.arguments, 1, #v.options.arguments, #words + 1, words)
  place.words = words
end

---------------------------------------------------------------- the two runs

local function draw(v, text)
  if v.drawn then
    io.stderr:write("\r\27[K", text)
    io.stderr:flush()
  end
end

local function bar(done, total)
  local full = BAR_WIDTH * done // total
  return ("[%s%s] %d/%d"):format(("#"):rep(full), ("-"):rep(BAR_WIDTH - full), done, total)
end

local function show(v, done, total)
  draw(v, total == 0 and v.name .. "  running undisturbed"
       or ("%s  killing  %s"):format(v.name, bar(done, total)))
end

local function run_undisturbed(v, name)
  local place = new_place(v, name)
  set_words(v, place, "never")
  local run = series.run(v, place, {})
  run.place = place
  return run
end

-- A job that has raised an error, or could not even begin, shows nothing.
local function check_undisturbed(v, run)
  local words = differences.last_words(run.place)
  if run.code == 2 and words ~= "" then
    export.fail(2, "%s", (words:gsub("^ckptlua: ", "")))
  elseif run.code == 1 and words:find("the job failed", 1, true) or run.signal then
    export.fail(1, "%s does not even run undisturbed (it ended with %s):\n%s", v.name,
                differences.outcome(run), words)
  end
end

-- The first run. Its last state is kept in its snapshot; a job whose last state cannot be saved is
-- run once more without that, so that its exit code is its own.
local function first_run(v)
  local run = run_undisturbed(v, "undisturbed")
  if run.code == 4 and not (run.last and run.last.finished) then
    v.state_problem = differences.last_words(run.place):match "ckptlua: ([^\n]*)$"
    v.on_finish = "remove"
    run = run_undisturbed(v, "undisturbed-2")
  end
  check_undisturbed(v, run)
  return run
end

local function length_of(run)
  if run.last and run.last.computed > 0 then
    return run.last.computed
  end
  local restart = run.steps[1].restart or 0
  return math.max(run.seconds - restart, 0.001)
end

local function second_run(v, length)
  local place = new_place(v, "killed")
  local interval = v.interval or
                   ("%.4fs"):format(math.max(SHORTEST_INTERVAL, length / (4 * v.kills)))
  set_words(v, place, interval)
  local run = series.run(v, place, series.plan(v.kills, v.kill_seed, length))
  run.place, run.interval = place, interval
  return run
end

---------------------------------------------------------------- the table

local function write(v, ...)
  v.out[#v.out + 1] = (...):format(select(2, ...))
end

local function label_width(items)
  local width = LABEL_WIDTH
  for _, item in ipairs(items) do
    width = math.max(width, math.min(#item.name, 2 * LABEL_WIDTH))
  end
  return width
end

local function write_item(v, item, width)
  local label = ("  %-" .. width .. "s  "):format(item.name)
  if item.unknown then
    write(v, "%snot compared: %s", label, item.unknown)
  elseif item.same then
    write(v, "%sidentical (%s)", label, item.text)
  else
    write(v, "%sDIFFERS %s", label, item.text)
  end
  for _, line in ipairs(not item.same and item.details or {}) do
    write(v, "    %s", line)
  end
end

local function write_items(v, items)
  local width, files = label_width(items), 0
  for _, item in ipairs(items) do
    files = files + (item.file and item.same and 1 or 0)
    if not (item.file and item.same) or files <= FILES_SHOWN then
      write_item(v, item, width)
    end
  end
  if files > FILES_SHOWN then
    write(v, "  and %s more, identical", plural(files - FILES_SHOWN, "file"))
  end
end

local function write_undisturbed(v, items)
  local files, lines = 0, items[1].lines
  for _, item in ipairs(items) do
    files = files + (item.file and item.by_first and 1 or 0)
  end
  write(v, "undisturbed   %s, %s on stdout, %s written", duration(v.first.seconds),
        plural(lines, "line"), plural(files, "file"))
end

local function write_kills(v)
  local count = { KILL = 0, TERM = 0 }
  for _, step in ipairs(v.second.steps) do
    if step.kill then
      count[step.kill.signal] = count[step.kill.signal] + 1
    end
  end
  local few = v.second.killed < v.kills and
              (" of %d, then the job had ended"):format(v.kills) or ""
  write(v, "killed %s%s (%d SIGKILL, %d SIGTERM), seed %d; %d found a snapshot",
        plural(v.second.killed, "time"), few, count.KILL, count.TERM, v.kill_seed, v.second.found)
end

-- The mean of a field, over the steps (from `first` on) that have it; nil if none has.
local function mean(steps, field, first)
  local sum, count = 0, 0
  for i = first, #steps do
    if steps[i][field] then
      sum, count = sum + steps[i][field], count + 1
    end
  end
  return count > 0 and sum / count or nil
end

local function write_costs(v)
  local parts, steps, last = {}, v.second.steps, v.second.last
  local lost, restart = mean(steps, "lost", 1), mean(steps, "restart", 2)
  parts[#parts + 1] = lost and "work lost per SIGKILL " .. duration(lost)
  if last and last.saving > 0 then
    parts[#parts + 1] = "saving " .. inspect.percent(last.saving, last.saving + last.computed)
  end
  parts[#parts + 1] = restart and "restart " .. duration(restart)
  if #parts > 0 then
    write(v, "%s", table.concat(parts, ", "))
  end
end

---------------------------------------------------------------- the verdict

local function first_different(items)
  for _, item in ipairs(items) do
    if not item.same then
      return item
    end
  end
end

-- Whether the job gives the same twice when nothing disturbs it; the item that does not, or nil.
local function differs_by_itself(v)
  draw(v, v.name .. "  running undisturbed once more")
  local again = run_undisturbed(v, "undisturbed-again")
  return first_different(differences.list { host = v.host, first = v.first, second = again,
                                            state_problem = v.state_problem })
end

-- Why so few kills found a snapshot.
local function why_few(v)
  local refusal = differences.all_words(v.second.place):match "cannot save [^\n]*"
  if refusal then
    return refusal
  elseif v.length / v.kills < TOO_SHORT then
    return ("it is too short (%s of work): give it more to do, or fewer --kills"):format(
      duration(v.length))
  elseif v.second.killed < v.kills and not v.second.unheard then
    return "it ended earlier than the undisturbed run"
  elseif v.interval then
    return ("it is saved too seldom (--interval %s)"):format(v.interval)
  end
  return "no safe point came in time: does its main loop call checkpoint()?"
end

local function verdict(v, items)
  local item = first_different(items)
  if item then
    local by_itself = v.first.code == v.second.code and differs_by_itself(v)
    local hint = hints.cause(v, items)
    write(v, "%s does not resume exactly%s%s", v.name,
          by_itself and (": two undisturbed runs differ, too (%s)"):format(by_itself.name) or "",
          hint and (by_itself and "; " or ": ") .. hint or ".")
    return 1
  elseif v.second.found * 2 < v.kills then
    write(v, "%s is not proven to resume: %d of %d kills found a snapshot; %s", v.name,
          v.second.found, v.kills, why_few(v))
    return 1
  end
  write(v, "%s resumes exactly.", v.name)
  return 0
end

---------------------------------------------------------------- the command

-- options: see verify_push in host/cli/verify.c
function verify.run(host, options)
  local v = settings(host, options)
  v.out, v.show = {}, function(done, total) show(v, done, total) end
  v.scratch = host.scratch()
  if options.own.keep then
    v.scratch:keep()
  end
  local ok, problem = pcall(function()
    check_size(v)
    v.first = first_run(v)
    v.length = length_of(v.first)
    v.second = second_run(v, v.length)
    local items = differences.list(v)
    write_undisturbed(v, items)
    write_kills(v)
    write_items(v, items)
    write_costs(v)
    v.code = verdict(v, items)
  end)
  draw(v, "")
  if not ok then
    error(problem, 0)
  end
  if v.code ~= 0 or options.own.keep then
    v.scratch:keep()
    write(v, "Both runs are kept in %s", v.scratch:path())
  end
  io.write(table.concat(v.out, "\n"), "\n")
  if v.code ~= 0 then
    error({ code = v.code }, 0)
  end
end

return verify
