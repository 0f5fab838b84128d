-- How long a script stands still at most while it makes garbage beside so many megabytes that stay.
-- arg: megabytes. Prints seconds.

local bench = require("bench")
local megabytes = tonumber(arg[1])

-- Tables of one float take about 150 bytes each, with their place in `kept`.
local kept = {}
for i = 1, megabytes * 1024 * 1024 // 150 do
  kept[i] = { i / 3 }
end

local longest, last = 0, bench.now()
for i = 1, megabytes * 20000 do
  kept[i * 7919 % #kept + 1] = { i / 7 }
  local now = bench.now()
  if now - last > longest then
    longest = now - last
  end
  last = now
end
print(longest, #kept)
