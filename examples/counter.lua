-- A counter to interrupt: one line a second.
--
--     ckptlua counter.lua [last] [pause]
--
-- last: where to stop, default 1000; pause: seconds between lines, default 1. Press Ctrl-C: the
-- counter is saved, and on a terminal you are asked `continue? [y/N]`. With y it counts on; with
-- anything else it ends with exit code 130, and the same command counts on later.
-- Remove counter.ckpt to begin again from 1. Expect:
--     1
--     2
--     3

local last = tonumber(arg[1] or 1000)
local pause = tonumber(arg[2] or 1)
if not last or not pause then
  error("usage: counter.lua [last] [pause in seconds]", 0)
end

for count = 1, last do
  print(count)
  ckpt.sleep(pause)
end
