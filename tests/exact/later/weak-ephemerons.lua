-- Needs G, Z for the order: values that refer to their own keys, and chains of them over tables.
local function weak() return setmetatable({}, { __mode = "k" }) end
local first, second, owners = weak(), weak(), {}
local function count(t)
    local n = 0
    for _ in pairs(t) do n = n + 1 end
    return n
end
for round = 1, 30 do
    for i = 1, 20 do
        local a, b, c = { id = i }, { id = -i }, { id = i * round }
        first[a] = { self = a, next = b }
        second[b] = { back = c }
        first[c] = { last = true }
        if i % 4 == 0 then owners[#owners + 1] = a end
        if i % 10 == 0 then owners[#owners + 1] = c end
    end
    if round % 5 == 0 then
        collectgarbage()
        print(round, count(first), count(second), #owners)
        for i = #owners, 1, -2 do table.remove(owners, i) end
        collectgarbage()
        print(round, count(first), count(second), #owners)
    end
end
local trail = {}
for key, value in pairs(first) do
    if value.next then
        local b = second[value.next]
        trail[#trail + 1] = key.id .. ":" .. value.next.id .. ":" .. tostring(b and b.back and first[b.back].last)
    end
end
print(#trail, table.concat(trail, " "))
