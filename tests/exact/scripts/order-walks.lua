-- Walks over tables that lose entries on the way, also the one at which the walk is.
local function made(n)
    local t = {}
    for i = 1, n do t["key" .. i] = i end
    return t
end
local t = made(24)
for k, v in pairs(t) do
    if v % 3 == 0 then t[k] = nil end
    io.write(k, " ")
end
print()
for k in pairs(t) do
    for k2, v2 in pairs(t) do
        if v2 % 5 == 0 and k ~= k2 then t[k2] = nil end
    end
    io.write(k, " ")
end
print()
local co = coroutine.wrap(function()
    for k, v in pairs(t) do
        coroutine.yield(k, v)
        if v % 2 == 0 then t[k] = nil end
    end
end)
for k, v in co do io.write(k, "=", v, " ") end
print(next(t) ~= nil)
for k, v in pairs(t) do t[k] = v * 2 io.write(k, "=", t[k], " ") end
print()
