-- checkpoint() that is not due, beside a C function that does nothing: nanoseconds a call, the loop
-- included. Prints "checkpoint NS empty NS" once a round.

local bench = require("bench")
local rounds, calls = tonumber(arg[1]), tonumber(arg[2])
local checkpoint, empty, cpu = checkpoint, bench.empty, bench.cpu

local function time_checkpoint()
  local start = cpu()
  for _ = 1, calls do
    checkpoint()
  end
  return (cpu() - start) / calls * 1e9
end

local function time_empty()
  local start = cpu()
  for _ = 1, calls do
    empty()
  end
  return (cpu() - start) / calls * 1e9
end

for round = 1, rounds do
  local ours, peer
  if round % 2 == 0 then
    ours, peer = time_checkpoint(), time_empty()
  else
    peer, ours = time_empty(), time_checkpoint()
  end
  print(string.format("checkpoint %.3f empty %.3f", ours, peer))
end
