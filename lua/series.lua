-- Runs a job to its end, killing it on the way: the middle of `ckptlua verify`.
--
-- A place is a folder with the job's current folder (`work`), its stdout and stderr and its
-- snapshot; `words` is the command line with which all its processes are started. The functions of
-- host are told in host/cli/verify_run.h.

local export = require "export"

local series = {}

local NOTICE = 20   -- seconds for a job that was sent SIGTERM; it gives up by itself after 10
local LAST = 0.96   -- the last kill comes before this part of the work: the next run may be faster
local HIGHEST_OWN_CODE = 5

-- Ends it all where verify was asked to stop; host.copy and a process tell so.
function series.check(how)
  if math.type(how) == "integer" then
    export.fail(128 + how, "stopped")
  end
  return how
end

-- When to kill: `count` moments in equal parts of the work, and with which signal. The same seed
-- gives the same plan.
function series.plan(count, seed, length)
  math.randomseed(seed)
  local kills, part = {}, LAST * length / count
  for i = 1, count do
    local share = math.random()
    kills[i] = { number = i, point = (i - 1 + share) * part, late = share * part,
                 signal = i % 2 == 1 and "KILL" or "TERM" }
  end
  for i = count, 2, -1 do
    local j = math.random(i)
    kills[i].signal, kills[j].signal = kills[j].signal, kills[i].signal
  end
  return kills
end

-- What the snapshot says, or nil while there is none.
local function look(host, file)
  local ok, header = pcall(host.load_header, file)
  if not ok then
    return nil
  end
  local runs = type(header.runs) == "table" and header.runs or {}
  local last = runs[#runs]
  return {
    computed = tonumber(header.computed) or 0,
    saving = tonumber(header.saving) or 0,
    generation = header.generation,
    ended = last and last.ended,
    finished = header.finished ~= nil,
  }
end

---------------------------------------------------------------- one process

local function check_time(job, how)
  if series.check(how) == "time" then
    export.fail(1, "%s has not ended after %s: give it less to do, or verify more time (--timeout)",
                job.name, job.timeout_text)
  end
  return how
end

-- Lengths of the files that the job has so far.
local function lengths(host, place)
  local sizes = {}
  for path, entry in pairs(host.list(place.work)) do
    if entry.kind == "file" and entry.changed > place.stamp then
      sizes[path] = entry.size
    end
  end
  return sizes
end

-- Sends the kill when its moment has come, and waits for the end.
local function wait_and_kill(job, process, step, kill, before, started)
  local host = job.host
  local computed = before and before.computed or 0
  local all = before and before.saving + computed or 0
  local working = all > 0 and math.max(0.1, computed / all) or 1 -- the rest goes into saving
  local point = kill.point > computed and kill.point or computed + kill.late
  local moment = started + (point - computed) / working
  local how = series.check(process:wait(math.min(moment, job.deadline) - host.clock()))
  if how == "ended" or host.clock() >= job.deadline then
    return how
  end
  step.kill = kill
  step.work = computed + (host.clock() - started) * working
  process:kill(kill.signal)
  how = series.check(process:wait(NOTICE))
  if how == "time" then
    process:kill "KILL"
    how = series.check(process:wait(NOTICE))
  end
  return how
end

-- Starts the job and waits for the end of the process; kill may be nil.
local function run_process(job, place, before, kill)
  local host, step, launched = job.host, {}, job.host.clock()
  local process = host.start(place.folder, table.unpack(place.words))
  local how
  how, step.output = process:ready(job.deadline - launched)
  if check_time(job, how) == "ready" then
    local started = host.clock()
    step.restart = started - launched
    if kill then
      step.files = lengths(host, place)
      how = wait_and_kill(job, process, step, kill, before, started)
    end
    if how ~= "ended" then
      check_time(job, process:wait(job.deadline - host.clock()))
    end
  end
  step.code, step.signal = process:result()
  return step
end

---------------------------------------------------------------- from the first to the last

-- Whether the job is to be started again, as whoever runs it would do.
local function goes_on(step, before, after)
  local kill = step.kill
  if kill and (step.signal == kill.signal or step.signal == "KILL") then
    return true
  elseif not after or after.finished then
    return false
  elseif step.code and step.code <= HIGHEST_OWN_CODE then
    -- 4: it met no safe point in time; the snapshot before is good
    return kill ~= nil and kill.signal == "TERM" and step.code == 4
  end
  -- It has saved and then ended, by the checkpoint code or in another way.
  return after.ended ~= nil and after.generation ~= (before and before.generation)
end

-- Runs the job in its place until it is over. Returns
--     steps     of each process: output, files (lengths when it began), restart (seconds), code or
--               signal, and of one that was killed: kill, work (seconds computed), lost, found
--     killed, found   how many kills, and how many of them found a snapshot
--     unheard   whether the job has ended behind a SIGTERM without having saved
--     code, signal    of the last process
--     last      of the last snapshot, or nil
--     seconds
function series.run(job, place, kills)
  local host = job.host
  local began = host.clock()
  local run = { steps = {}, killed = 0, found = 0 }
  local before
  job.deadline = began + job.timeout
  repeat
    job.show(run.killed, #kills)
    local step = run_process(job, place, before, kills[run.killed + 1])
    local after = look(host, place.snapshot)
    local again = goes_on(step, before, after)
    if step.kill and again then
      run.killed = run.killed + 1
      run.found = run.found + (after and 1 or 0)
      step.lost = step.kill.signal == "KILL" and
                  math.max(0, step.work - (after and after.computed or 0)) or nil
    else
      -- It came too late; or it was SIGTERM, and the job has ended without taking notice.
      run.unheard = run.unheard or step.kill ~= nil and step.kill.signal == "TERM"
      step.kill = nil
    end
    run.steps[#run.steps + 1] = step
    before = after
    run.code, run.signal, run.last = step.code, step.signal, after
  until not again
  run.seconds = host.clock() - began
  return run
end

return series
