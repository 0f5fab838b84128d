-- Values in and out of coroutines: many, none, nils, on each resume and yield, and at the end.
local co = coroutine.create(function(...)
    print("start", select("#", ...), ...)
    local r = table.pack(coroutine.yield())
    for i = 1, 10 do
        print("in", r.n, table.unpack(r, 1, r.n))
        local t = {}
        for j = 1, i do t[j] = j * i end
        r = table.pack(coroutine.yield(table.unpack(t, 1, i + r.n % 2)))
    end
    return "end", nil, nil
end)
local n = 0
while coroutine.status(co) ~= "dead" do
    n = n + 1
    local args = {}
    for j = 1, n % 4 do args[j] = n + j end
    print("out", coroutine.resume(co, table.unpack(args, 1, n % 4)))
end
print(coroutine.resume(co))
local acc = coroutine.wrap(function(a)
    local sum, count = 0, 0
    while a do
        sum, count = sum + a, count + 1
        a = coroutine.yield(sum, count, sum / count)
    end
    return "total", sum
end)
for i = 1, 30 do
    local s, c, m = acc(i * i % 7)
    if i % 6 == 0 then print(s, c, string.format("%.4f", m)) end
end
print(acc())
-- yields in the middle of expressions
local y = coroutine.yield
local mix = coroutine.wrap(function()
    local t = { y(1), y(2), k = y(3), [y(4)] = y(5), y(6) }
    local s = y(t[1] + t[2] * y(7)) .. y(8) .. "x" .. y(9)
    local a, b, c = y(s), (y(10)), y(11)
    if y(12) < y(13) and y(14) == nil or not y(15) then a = a + 1 end
    return a, b, c, t.k, t[#t], #t, y((y(y(16))))
end)
local r = table.pack(mix())
for i = 1, 20 do
    print(i, table.unpack(r, 1, r.n))
    r = table.pack(mix(i * 3))
end
print(table.unpack(r, 1, r.n))
