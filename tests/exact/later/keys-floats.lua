-- Needs L: floats of all sizes as keys, infinities among them; keys that are removed and set again.
local seed, hash = 99, 0
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local t = { [1 / 0] = 1, [-1 / 0] = 2, [0.1] = 3, [1e300] = 4, [-1e-300] = 5, [2 ^ 53] = 6, [-0.0] = 7 }
local function digest()
    local n = 0
    for k, v in pairs(t) do
        n = n + 1
        hash = (hash * 31 + v) & 0xFFFFFFFF
        if k == k // 1 then hash = (hash + n) & 0xFFFFFFFF end
    end
    return n, hash
end
for step = 1, 30000 do
    local key = random(200) / random(8) * 10.0 ^ (random(5) - 3)
    if random(5) == 1 then key = -key end
    if t[key] and random(2) == 1 then t[key] = nil else t[key] = step end
    if step % 500 == 0 then print(step, next(t), digest()) end
end
local sum = 0.0
for k, v in pairs(t) do sum = sum + (k * 0 == 0 and k or 1) * v end
print(("%.17g"):format(sum))
