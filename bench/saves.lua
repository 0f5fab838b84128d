-- Saves of a state of one kind: how long checkpoint(true) takes with --save inline, and how long it
-- takes to replace a file by as many bytes, which no capture can be without. CPU seconds.
--     saves.lua KIND SIZE ROUNDS SNAPSHOT
-- KIND: small; objects (SIZE tables, a fifth as many closures); frames; coroutines.
-- luacheck: ignore 241
local bench = require "bench"
local kind, size, rounds, snapshot = arg[1], tonumber(arg[2]), tonumber(arg[3]), arg[4]

-- Seconds of a save, and of the bare replacement.
local function measure()
  local start = bench.cpu()
  checkpoint(true)
  local ours = bench.cpu() - start
  start = bench.cpu()
  bench.replace(snapshot)
  return ours, bench.cpu() - start
end

local function all()
  measure() -- the first save meets everything for the first time
  for _ = 1, rounds do
    local ours, bare = measure()
    print(string.format("save %.7f bare %.7f", ours, bare))
  end
end

local kinds = {}

function kinds.small()
  local t, f = { 1, 2, x = "y" }, function() return kinds end
  all()
  return t, f
end

function kinds.objects()
  local state = {}
  for i = 1, size do
    state[i] = { i, i / 3, name = "object" }
    if i % 5 == 0 then
      state[-i] = function() return state[i] end
    end
  end
  all()
end

local function down(depth)
  local a, b = depth, depth / 3
  if depth == 0 then
    all()
  else
    down(depth - 1)
  end
  return a + b
end

function kinds.frames()
  down(size)
end

function kinds.coroutines()
  local state = {}
  for i = 1, size do
    state[i] = coroutine.create(function(a)
      local b = coroutine.yield(a)
      return b
    end)
    coroutine.resume(state[i], i)
  end
  all()
end

kinds[kind]()
