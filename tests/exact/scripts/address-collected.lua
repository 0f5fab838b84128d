-- Full collections at given places: what garbage has left free is used again, in the same order.
collectgarbage("stop")
local kept, set = {}, setmetatable({}, { __mode = "k" })
local function fill(from, to)
    for i = from, to do
        local o = { i }
        set[o] = i
        if i % 3 == 0 then kept[#kept + 1] = o end
        if i % 7 == 0 then kept[#kept + 1] = function() return o, i end end
        if i % 11 == 0 then kept[#kept + 1] = coroutine.create(fill) end
    end
end
local function drop(every)
    for i = #kept, 1, -every do table.remove(kept, i) end
end
local function digest()
    local sum, count = 0, 0
    for _, v in pairs(set) do sum, count = (sum * 31 + v) % 1000003, count + 1 end
    return count .. ":" .. sum
end
local function round(n)
    fill(n * 40, n * 40 + 39)
    drop(5)
    if n % 4 == 3 then collectgarbage() end
    print(n, digest(), kept[#kept], {}, function() return n end)
end
for n = 1, 24 do round(n) end
print(set, kept)
