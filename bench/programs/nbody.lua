-- Floats in the fields of tables: the planets of the solar system, moved in small steps.

local steps = tonumber(arg and arg[1]) or 1000000
local sqrt = math.sqrt
local days = 365.24
local sun_mass = 4 * math.pi ^ 2

local function body(mass, x, y, z, vx, vy, vz)
  return {
    mass = mass * sun_mass,
    x = x, y = y, z = z,
    vx = vx * days, vy = vy * days, vz = vz * days,
  }
end

local bodies = {
  body(1, 0, 0, 0, 0, 0, 0),
  body(9.54e-4, 4.841, -1.160, -0.1036, 1.66e-3, 7.70e-3, -6.90e-5),
  body(2.86e-4, 8.343, 4.125, -0.4035, -2.77e-3, 4.99e-3, 2.30e-5),
  body(4.37e-5, 12.894, -15.111, -0.2233, 2.96e-3, 2.38e-3, -2.97e-5),
  body(5.15e-5, 15.380, -25.919, 0.1793, 2.68e-3, 1.63e-3, -9.52e-5),
}

local function move(dt)
  local count = #bodies
  for i = 1, count do
    local a = bodies[i]
    local ax, ay, az, avx, avy, avz = a.x, a.y, a.z, a.vx, a.vy, a.vz
    for j = i + 1, count do
      local b = bodies[j]
      local dx, dy, dz = ax - b.x, ay - b.y, az - b.z
      local square = dx * dx + dy * dy + dz * dz
      local pull = dt / (square * sqrt(square))
      local mine, other = b.mass * pull, a.mass * pull
      avx, avy, avz = avx - dx * mine, avy - dy * mine, avz - dz * mine
      b.vx, b.vy, b.vz = b.vx + dx * other, b.vy + dy * other, b.vz + dz * other
    end
    a.vx, a.vy, a.vz = avx, avy, avz
    a.x, a.y, a.z = ax + dt * avx, ay + dt * avy, az + dt * avz
  end
end

local function energy()
  local sum = 0
  for i, a in ipairs(bodies) do
    sum = sum + a.mass * (a.vx ^ 2 + a.vy ^ 2 + a.vz ^ 2) / 2
    for j = i + 1, #bodies do
      local b = bodies[j]
      sum = sum - a.mass * b.mass / sqrt((a.x - b.x) ^ 2 + (a.y - b.y) ^ 2 + (a.z - b.z) ^ 2)
    end
  end
  return sum
end

for _ = 1, steps do
  move(0.01)
end
print(string.format("%.9f", energy()))
