-- insert, remove, move, concat, pack, unpack, next, rawset; queues and stacks made of them.
local t = {}
for i = 1, 25 do
    table.insert(t, i)
    table.insert(t, 1, -i)
    if i % 3 == 0 then table.insert(t, #t // 2, i * 100) end
    if i % 4 == 0 then io.write(table.remove(t), ",", table.remove(t, 1), ",", table.remove(t, 3), " ") end
end
print(#t)
print(table.concat(t, " "))
local a = table.move(t, 1, 10, 3)
print(a == t, table.concat(t, " ", 1, 15))
print(table.concat(table.move(t, 5, 12, 4), " ", 1, 15))
print(table.concat(table.move(t, 1, 6, 1, {}), "/"), #table.move({}, 1, 0, 1))
local logged = {}
local proxy = setmetatable({}, {
    __index = function(_, i) logged[#logged + 1] = "r" .. i return i * i end,
    __newindex = function(o, i, v) logged[#logged + 1] = "w" .. i rawset(o, i, v) end,
    __len = function() return 5 end,
})
print(table.concat(table.move(proxy, 1, 5, 2, setmetatable({ 0 }, getmetatable(proxy))), " ", 1, 6))
table.insert(proxy, "six")
print(table.remove(proxy), table.concat(logged, " "))
for i = 0, 8 do
    local p = table.pack(table.unpack({ 1, nil, 3, nil, 5, nil, 7 }, 1, i))
    print(i, p.n, table.unpack(p, 1, p.n))
end
print(table.unpack({ 1, 2, 3 }, 2), table.unpack({ 1, 2, 3 }, -1, 1))
print(pcall(table.insert, { 1, 2 }, 5, 1))
print(pcall(table.concat, { 1, {}, 3 }))
print(pcall(table.unpack, {}, 1, 1e8))
print(next({}), next({ 10 }), rawlen({ 1, 2 }), rawget(proxy, 99), rawequal(t, a), select("#", table.unpack({ n = 3 }, 1, 3)))
local queue, first, last, order = {}, 1, 0, {}
for i = 1, 60 do
    last = last + 1
    queue[last] = i
    if i % 3 ~= 0 then goto next end
    for _ = 1, i % 5 do
        if first > last then break end
        order[#order + 1] = queue[first]
        queue[first] = nil
        first = first + 1
    end
    ::next::
end
print(table.concat(order, " "), last - first)
