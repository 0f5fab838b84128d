-- A little of everything: closures that share, classes, coroutines in coroutines, protected calls,
-- iterators half way, files that are read and written.

math.randomseed(42)
local steps = tonumber(arg[1])
local out = assert(io.open("out.txt", "w"))
for i = 1, 40 do out:write("line ", i, " of ", math.random(1000), "\n") end
out:close()

local Stack = {}
Stack.__index = Stack
Stack.__len = function(s) return s.n end
Stack.__concat = function(a, b) return tostring(a) .. "&" .. tostring(b) end
Stack.__tostring = function(s) return "stack of " .. #s end
Stack.__lt = function(a, b) return #a < #b end
function Stack.new() return setmetatable({ n = 0 }, Stack) end
function Stack:push(...)
  for _, v in ipairs { ... } do
    self.n = self.n + 1
    self[self.n] = v
  end
  return self
end
function Stack:pop()
  local v <const> = self[self.n]
  self[self.n], self.n = nil, self.n - 1
  return v
end

local function counter()
  local count = 0
  return function() count = count + 1; return count end, function() return count end
end
local tick, peek = counter()

local function walk(depth, stack)
  if depth == 0 then
    coroutine.yield(stack .. "end")
    return 1
  end
  local sum = 0
  for i = 1, 2 do
    stack:push(i * depth)
    sum = sum + walk(depth - 1, stack) + i * math.random(9)
    stack:pop()
  end
  return sum
end

local function lines()
  local inner = coroutine.wrap(function()
    for line in io.lines("out.txt") do
      for word, number in line:gmatch("(%a+) (%d+)") do coroutine.yield(word .. number) end
    end
  end)
  return coroutine.wrap(function()
    for word in inner do coroutine.yield(word:upper()) end
  end)
end

local log = assert(io.open("log.txt", "a"))
local sums = setmetatable({}, { __index = function(t, k) return k < 1 and 0 or t[k - 1] + k end })
for step = 1, steps do
  local stack = Stack.new():push("a", "b"):push(step)
  local gen = coroutine.create(walk)
  local ok, text = coroutine.resume(gen, 6, stack)
  local last
  while coroutine.status(gen) ~= "dead" do
    tick()
    last = text
    ok, text = coroutine.resume(gen)
  end
  local caught = select(2, pcall(function()
    local _ <close> = setmetatable({}, {
      __close = function(_, e) log:write("closed ", tostring(e ~= nil), "\n") end,
    })
    if step % 3 == 0 then error({ code = step }) end
    return { code = -step }
  end))
  local words = 0
  for word in lines() do words = words + #word end
  print(step, ok, text, last, peek(), caught.code, words, rawlen(sums), sums[step % 40],
    Stack.new() < stack)
  log:write(step, " ", math.random(), "\n")
  if step % 10 == 0 then
    local keys = {}
    for key in pairs({ x = 1, y = 2, z = step, [step] = true }) do
      keys[#keys + 1] = tostring(key)
    end
    table.sort(keys, function(a, b) return a > b end)
    print(table.concat(keys, " "))
    io.stdout:flush()
  end
end
log:close()
for line in io.lines("log.txt") do steps = steps + #line end
print(steps)
