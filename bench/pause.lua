-- How long a job with a large state stands still for a save by a child process (--save fork), and
-- how long a fork() that does nothing more takes in the same process.
-- arg: rounds, megabytes. Prints "pause S fork S" (seconds) once a round.

-- luacheck: allow defined top
local bench = require("bench")
local rounds, megabytes = tonumber(arg[1]), tonumber(arg[2])

-- Tables of one float take about 150 bytes each, with their place in `state`.
state = {}
for i = 1, megabytes * 1024 * 1024 // 150 do
  state[i] = { i / 3 }
end
collectgarbage()

-- One save at a time: waits until the child has ended.
local function wait(saves)
  while ckpt.saves < saves do
    ckpt.sleep(0.02)
    checkpoint()
  end
end

for round = 1, rounds do
  local saves, forked = ckpt.saves, nil
  if round % 2 == 0 then
    forked = bench.fork()
  end
  local start = bench.now()
  checkpoint(true)
  local paused = bench.now() - start
  wait(saves + 1)
  if round % 2 == 1 then
    forked = bench.fork()
  end
  print(string.format("pause %.6f fork %.6f", paused, forked))
end
