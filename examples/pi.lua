-- A Monte Carlo estimate of pi, with its standard error: random points in a square, counted where
-- they fall into the circle.
--
--     ckptlua --seed 1 pi.lua [points]
--
-- points: default 20 million, which takes a few seconds. The random numbers go on where they were,
-- so an interrupted job gives the very number of an undisturbed one. Expect, with seed 1:
--       5000000  3.142439  +- 0.000734
--      10000000  3.142091  +- 0.000519
--      15000000  3.142203  +- 0.000424
--      20000000  3.142244  +- 0.000367

local points = math.tointeger(tonumber(arg[1] or 20000000))
if not points or points < 4 then
  error("usage: pi.lua [points]", 0)
end

local random = math.random
local inside = 0
for i = 1, points do
  local x, y = random(), random()
  if x * x + y * y < 1 then
    inside = inside + 1
  end
  if i % (points // 4) == 0 then
    local share = inside / i
    print(string.format("%9d  %.6f  +- %.6f", i, 4 * share, 4 * math.sqrt(share * (1 - share) / i)))
  end
end
