-- A Monte Carlo: pi by darts, an integral, and a queue, with running means.
math.randomseed(42)
local random = math.random
local inside, n = 0, 0
for batch = 1, 8 do
    for _ = 1, 150 do
        local x, y = random(), random()
        if x * x + y * y <= 1 then inside = inside + 1 end
        n = n + 1
    end
    print(batch, n, string.format("%.10f", 4 * inside / n))
end
local mean, m2 = 0, 0
for i = 1, 300 do
    local x = random()
    local v = math.exp(-x * x) * math.sin(3 * x)
    local d = v - mean
    mean = mean + d / i
    m2 = m2 + d * (v - mean)
    if i % 100 == 0 then print(i, string.format("%.12g %.12g", mean, (m2 / (i - 1)) ^ 0.5)) end
end
local clock, free, waits = 0, 0, {}
for i = 1, 120 do
    clock = clock - math.log(1 - random()) * 2
    local start = clock > free and clock or free
    waits[i] = start - clock
    free = start - math.log(1 - random()) * 1.5
end
table.sort(waits)
print(string.format("%.9g %.9g %.9g", waits[60], waits[110], free))
