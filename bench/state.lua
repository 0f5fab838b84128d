-- Saves and loads a large state in two ways: ckpt.save and ckpt.load, and the plain walk of
-- bench.c. arg: folder, share of the full size, rounds. Prints "ckpt.save S walk.save S ckpt.load S
-- walk.load S", seconds of CPU, once a round. The collector is run before each, and is left as it
-- is while they run.

local bench = require("bench")
local folder, share, rounds = arg[1], tonumber(arg[2]), tonumber(arg[3])

local function make(size)
  local state = { floats = {}, names = {}, rows = {} }
  for i = 1, 2000000 * size // 1 do
    state.floats[i] = i * 0.7310585786300049
  end
  for i = 1, 300000 * size // 1 do
    state.names[string.format("key%06d", i)] = string.format("value %d", i * 7919)
  end
  for i = 1, 200000 * size // 1 do
    state.rows[i] = { id = i, x = i / 7, name = "row" .. i }
  end
  return state
end

local function time(f, ...)
  collectgarbage()
  local start = bench.cpu()
  local result = f(...)
  return bench.cpu() - start, result
end

local function check(state, loaded)
  local count, last = 0, #state.floats
  for name, value in pairs(loaded.names) do
    assert(state.names[name] == value)
    count = count + 1
  end
  assert(count == 300000 * share // 1)
  assert(#loaded.floats == last and loaded.floats[last] == state.floats[last])
  assert(#loaded.rows == #state.rows and loaded.rows[#state.rows].name == "row" .. #state.rows)
end

-- What is loaded is gone when it returns.
local function time_load(load, file, state)
  local seconds, loaded = time(load, file)
  check(state, loaded)
  return seconds
end

local state = make(share)
local ours, walked = folder .. "/ours", folder .. "/walked"
for round = 1, rounds do
  local a, b, c, d
  if round % 2 == 0 then
    a = time(ckpt.save, ours, state)
    b = time(bench.save, walked, state)
    c = time_load(ckpt.load, ours, state)
    d = time_load(bench.load, walked, state)
  else
    b = time(bench.save, walked, state)
    a = time(ckpt.save, ours, state)
    d = time_load(bench.load, walked, state)
    c = time_load(ckpt.load, ours, state)
  end
  print(string.format("ckpt.save %.6f walk.save %.6f ckpt.load %.6f walk.load %.6f", a, b, c, d))
end
