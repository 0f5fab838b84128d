-- Needs L, G: weak values, watched behind full collections; what is left in which place.
local cache = setmetatable({}, { __mode = "v" })
local list = setmetatable({}, { __mode = "v" })
local live = {}
for round = 1, 40 do
    for i = 1, 40 do
        local key = "k" .. (round * 7 + i * 3) % 200
        local o = cache[key] or { key }
        cache[key] = o
        list[(round + i) % 64 + 1] = o
        if i % 8 == 0 then live[(round * i) % 60 + 1] = o end
    end
    if round % 3 == 0 then
        collectgarbage()
        local keys, holes = {}, {}
        for k in pairs(cache) do keys[#keys + 1] = k end
        for i = 1, 64 do holes[i] = list[i] and "x" or "." end
        print(round, #list, #keys, table.concat(holes), table.concat(keys, " "))
    end
    cache["s" .. round], list[70] = "strings are values, and stay", round
end
local strings = 0
for _, v in pairs(cache) do if type(v) == "string" then strings = strings + 1 end end
print(strings)
