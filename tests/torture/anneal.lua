-- Simulated annealing of a travelling salesman's tour: a class with metamethods, closures for the
-- schedule and the report, random numbers, a file that is closed by its scope.

local count, steps = tonumber(arg[1]), tonumber(arg[2])
math.randomseed(7, 11)

local Tour = {}
Tour.__index = Tour

function Tour.__tostring(tour)
  return ("Tour(%d, %.6f)"):format(#tour.order, tour:length())
end

function Tour.__lt(a, b)
  return a:length() < b:length()
end

function Tour.random(n)
  local tour = setmetatable({ cities = {}, order = {} }, Tour)
  for i = 1, n do
    tour.cities[i] = { x = math.random(), y = math.random() }
    tour.order[i] = i
  end
  return tour
end

function Tour:distance(i, j)
  local order = self.order
  local a = self.cities[order[(i - 1) % #order + 1]]
  local b = self.cities[order[(j - 1) % #order + 1]]
  return math.sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2)
end

function Tour:length()
  local sum = 0
  for i = 1, #self.order do
    sum = sum + self:distance(i, i + 1)
  end
  return sum
end

-- How much longer the tour is with the cities from i to j the other way round.
function Tour:gain(i, j)
  return self:distance(i - 1, j) + self:distance(i, j + 1)
    - self:distance(i - 1, i) - self:distance(j, j + 1)
end

function Tour:reverse(i, j)
  local order = self.order
  while i < j do
    order[i], order[j] = order[j], order[i]
    i, j = i + 1, j - 1
  end
end

local function schedule(kind)
  local first, last = 1.0, 1e-4
  return ({
    geometric = function(share) return first * (last / first) ^ share end,
    linear = function(share) return first + (last - first) * share end,
  })[kind]
end

local function reporter(file)
  return function(step, tour, temperature)
    file:write(("%d,%.9f,%.17g\n"):format(step, tour:length(), temperature))
    print(step, tour, ("T=%.3g"):format(temperature))
  end
end

local accepted = setmetatable({}, { __index = function() return 0 end })
local csv <close> = assert(io.open("anneal.csv", "w"))
csv:setvbuf("full")
csv:write("step,length,T\n")
local report = reporter(csv)

local best
for _, kind in ipairs { "geometric", "linear" } do
  local temperature, tour = schedule(kind), Tour.random(count)
  for step = 1, steps do
    local i = math.random(2, count - 2)
    local j = math.random(i + 1, count - 1)
    local t = temperature(step / steps)
    local gain = tour:gain(i, j)
    if gain < 0 or math.random() < math.exp(-gain / t) then
      tour:reverse(i, j)
      accepted[kind] = accepted[kind] + 1
    end
    if step % (steps // 20) == 0 then report(step, tour, t) end
  end
  if not best or tour < best then best = tour end
end
print("best", best, accepted.geometric, accepted.linear)
