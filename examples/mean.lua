-- Sample means: 500 means of two random numbers from 1 to 300, and the mean of these means.
--
--     ckptlua mean.lua [means] [pause]
--
-- means: how many, default 500; pause: seconds between them, default 0.1. Press Ctrl-C on the way
-- and give the same command again: the random numbers go on where they were, so the result is that
-- of a run without interruption. To see that, give both runs a seed: ckptlua --seed 1 mean.lua
-- Expect one line at the end, a number near 150.5; with seed 1:
--     mean of 500 means   145.0480

local count = tonumber(arg[1] or 500)
local pause = tonumber(arg[2] or 0.1)
if not count or not pause then
  error("usage: mean.lua [means] [pause in seconds]", 0)
end

local sum = 0
for i = 1, count do
  sum = sum + (math.random(1, 300) + math.random(1, 300)) / 2
  ckpt.progress(i, count)
  ckpt.sleep(pause)
end
print(string.format("mean of %d means   %.4f", count, sum / count))
