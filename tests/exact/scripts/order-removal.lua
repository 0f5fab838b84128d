-- Needs S, L, G: removing keys, the current one too, during a pairs loop; several loops over one table at once.
local t = {}
for i = 1, 24 do t["key" .. i] = i end
local seen = 0
for k, v in pairs(t) do
    if v % 3 == 0 then t[k] = nil end
    seen = seen + v
    io.write(k, " ")
end
print(seen)
for k in pairs(t) do
    for k2, v2 in pairs(t) do
        if v2 % 5 == 0 and k ~= k2 then t[k2] = nil end
    end
    io.write(k, " ")
end
print()
local left = {}
for k, v in pairs(t) do
    left[#left + 1] = k .. v
    t[k] = nil
end
print(#left, next(t), table.concat(left, " "))
for i = 1, 10 do t["again" .. i] = i end
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
