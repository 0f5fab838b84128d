-- Tasks with a clock of their own: coroutines in coroutines below xpcall, variables that are closed
-- by errors and by coroutine.close, tasks that make tasks.

local count = tonumber(arg[1])
local tasks, now = {}, 0

local function say(...)
  print(table.concat({ now, ... }, " "))
end

local function start(f, ...)
  tasks[#tasks + 1] = {
    thread = coroutine.create(f), at = now, number = #tasks, arguments = table.pack(...),
  }
end

local function sleep(ticks)
  return coroutine.yield(ticks)
end

local function work(name, steps)
  local guard <close> = setmetatable({}, {
    __close = function(_, e) say(name, "left", tostring(e)) end,
  })
  for i = 1, steps do
    local x = 0
    for j = 1, 10000 do
      x = (x * 7 + j) % 1009
    end
    sleep(x % 5 + i % 3)
    if i == 5 and steps % 2 == 1 then error(name .. " gives up") end
    if i == 3 and steps > 5 then start(work, name .. "'", 4) end
  end
  return name, guard
end

local function go_on(task)
  return coroutine.wrap(function()
    return coroutine.resume(task.thread, table.unpack(task.arguments, 1, task.arguments.n))
  end)()
end

for i = 1, count do
  start(work, "w" .. i, 20 + i)
end
while #tasks > 0 do
  table.sort(tasks, function(a, b)
    if a.at ~= b.at then return a.at < b.at end
    return a.number < b.number
  end)
  local task = table.remove(tasks, 1)
  now = task.at
  local _, ok, value = xpcall(go_on, debug.traceback, task)
  if not ok then
    say("failed", tostring(value), tostring(coroutine.close(task.thread)))
  elseif coroutine.status(task.thread) == "dead" then
    say("ended", value)
  else
    task.at, task.arguments = now + value, { n = 0 }
    tasks[#tasks + 1] = task
  end
end
