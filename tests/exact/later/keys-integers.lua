-- Needs L: integers that go into the array part or into the hash part, depending on what was there.
local seed = 4
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local function digest(t)
    local h, n = 0, 0
    for k, v in pairs(t) do
        n = n + 1
        h = (h * 31 + k * 3 + v + n) & 0xFFFFFFFF
    end
    return h, n
end
for kind = 1, 8 do
    local t = {}
    for step = 1, 2500 do
        local key
        if kind % 4 == 0 then key = step elseif kind % 4 == 1 then key = 2501 - step
        elseif kind % 4 == 2 then key = random(600) * 4 - 900 else key = 1 << random(40) end
        if kind > 4 and random(3) == 1 then t[random(2500)] = nil else t[key] = step end
        if step % 250 == 0 then print(kind, step, #t, next(t), digest(t)) end
    end
end
