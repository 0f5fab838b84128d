-- Coroutines as generators: wrap in for loops, permutations, trees, infinite ones, filters.
local function permute(a, n)
    n = n or #a
    if n <= 1 then coroutine.yield(a) return end
    for i = 1, n do
        a[n], a[i] = a[i], a[n]
        permute(a, n - 1)
        a[n], a[i] = a[i], a[n]
    end
end
for p in coroutine.wrap(function() permute { 1, 2, 3, 4 } end) do io.write(table.concat(p), " ") end
print()
local function insert(t, v)
    if not t then return { v = v } end
    if v < t.v then t.l = insert(t.l, v) else t.r = insert(t.r, v) end
    return t
end
local function walk(t)
    if not t then return end
    walk(t.l)
    coroutine.yield(t.v)
    walk(t.r)
end
local tree
for i = 1, 25 do tree = insert(tree, i * 37 % 101) end
for v in coroutine.wrap(function() walk(tree) end) do io.write(v, " ") end
print()
local function from(n) return coroutine.wrap(function() while true do coroutine.yield(n) n = n + 1 end end) end
local function filter(p, g)
    return coroutine.wrap(function()
        for v in g do if v % p ~= 0 then coroutine.yield(v) end end
    end)
end
local g = from(2)
for _ = 1, 12 do
    local p = g()
    io.write(p, " ")
    g = filter(p, g)
end
print()
local function zip(a, b) return coroutine.wrap(function() while true do coroutine.yield(a(), b()) end end) end
local fib = coroutine.wrap(function() local a, b = 0, 1 while true do coroutine.yield(a) a, b = b, a + b end end)
local z = zip(fib, from(100))
for _ = 1, 20 do print(z()) end
