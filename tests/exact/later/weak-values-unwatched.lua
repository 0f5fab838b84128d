-- Needs G: a cache that the collector empties: hits and misses depend on when it comes.
local cache = setmetatable({}, { __mode = "v" })
local hits, misses, recent = 0, 0, {}
local seed = 77
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local function get(n)
    local value = cache[n]
    if value then
        hits = hits + 1
    else
        misses = misses + 1
        value = { n, string.rep("x", n % 40 + 10), { n * n } }
        cache[n] = value
    end
    return value
end
for step = 1, 20000 do
    local value = get(random(400))
    if step % 16 == 0 then recent[step // 16 % 20 + 1] = value end
    if step % 1000 == 0 then
        local left = 0
        for _ in pairs(cache) do left = left + 1 end
        print(step, hits, misses, left)
    end
end
