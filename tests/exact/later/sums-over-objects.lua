-- Needs Z, L: particles in a set; the sums of their forces depend on the order of the set.
local set, id = {}, 0
local function particle()
    id = id + 1
    set[{ x = math.sin(id) * 10, y = math.cos(id * 2.3) * 10, m = 1 + id % 5 / 7 }] = true
end
for _ = 1, 24 do particle() end
for step = 1, 40 do
    local energy, forces = 0.0, {}
    for p in pairs(set) do
        local fx, fy = 0.0, 0.0
        for q in pairs(set) do
            if p ~= q then
                local dx, dy = q.x - p.x, q.y - p.y
                local r = dx * dx + dy * dy + 0.01
                fx, fy = fx + q.m * dx / r, fy + q.m * dy / r
                energy = energy + p.m * q.m / r
            end
        end
        forces[p] = { fx, fy }
    end
    for p, f in pairs(forces) do p.x, p.y = p.x + f[1] * 0.01, p.y + f[2] * 0.01 end
    if step % 8 == 0 then
        particle()
        set[next(set)] = nil
    end
    print(step, ("%a"):format(energy))
end
