-- Agents on a torus, each of them a coroutine: they eat, breed, starve, and are struck by
-- lightning, which is an error in the coroutine.

local steps, size = tonumber(arg[1]), 60
math.randomseed(3)

local grass, agents = {}, {}
for y = 1, size do
  grass[y] = {}
  for x = 1, size do
    grass[y][x] = math.random() < 0.5
  end
end

local born = 0
local live

local function spawn(x, y, energy)
  born = born + 1
  agents[born] = { x = x, y = y, energy = energy, life = coroutine.create(live) }
end

function live(self)
  while true do
    self.x = (self.x + math.random(-1, 1) - 1) % size + 1
    self.y = (self.y + math.random(-1, 1) - 1) % size + 1
    if grass[self.y][self.x] then
      grass[self.y][self.x] = false
      self.energy = self.energy + 4
      coroutine.yield("ate")
    else
      self.energy = self.energy - 1
      if self.energy <= 0 then return "starved" end
      coroutine.yield("walked")
    end
    if self.energy > 12 then
      self.energy = self.energy // 2
      spawn(self.x, self.y, self.energy)
      coroutine.yield("bred")
    end
    if math.random() < 0.0005 then error({ cause = "lightning" }) end
  end
end

for _ = 1, 300 do
  spawn(math.random(size), math.random(size), 5)
end

local causes = { starved = 0, lightning = 0 }
for step = 1, steps do
  local ids = {}
  for id in pairs(agents) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  local counts = { ate = 0, walked = 0, bred = 0 }
  for _, id in ipairs(ids) do
    local agent = agents[id]
    local ok, what = coroutine.resume(agent.life, agent)
    if not ok then what = what.cause end
    if coroutine.status(agent.life) == "dead" then
      agents[id] = nil
      causes[what] = causes[what] + 1
    else
      counts[what] = counts[what] + 1
    end
  end
  for y = 1, size do
    for x = 1, size do
      if not grass[y][x] and math.random() < 0.02 then grass[y][x] = true end
    end
  end
  if step % 20 == 0 then
    io.write(("%4d: %4d agents, %d/%d/%d\n"):format(step, #ids, counts.ate, counts.walked,
      counts.bred))
  end
end
io.write(("born %d, starved %d, struck %d\n"):format(born, causes.starved, causes.lightning))
