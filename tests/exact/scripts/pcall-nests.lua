-- pcall in pcall: results of each level, errors caught at the right one, pcall of pcall.
local function thrower(n) if n % 3 == 0 then error({ n = n }) elseif n % 3 == 1 then error("text " .. n) end return n, n * 2 end
local function nest(depth, n)
    if depth == 0 then return thrower(n) end
    local before = depth * 1000
    local ok, a, b = pcall(nest, depth - 1, n)
    if ok then return a + before, b end
    if depth % 2 == 0 then error(a, 0) end
    return before, type(a) == "table" and a.n or a
end
for n = 1, 9 do
    for depth = 0, 5 do
        local r = table.pack(pcall(nest, depth, n))
        if type(r[2]) == "table" then r[2] = "table " .. r[2].n end
        print(n, depth, r.n, table.unpack(r, 1, r.n))
    end
end
print(pcall(pcall, thrower, 2))
print(pcall(pcall, error, "e"))
print(pcall(pcall, pcall, pcall, error))
print(pcall(pcall))
print(select("#", pcall(error)), pcall(error, nil))
print(pcall(pcall, function(...) return select("#", ...), ... end, nil, nil))
local function deep(n)
    if n == 0 then error("bottom", 0) end
    local ok, message = pcall(deep, n - 1)
    error((ok and "?" or message) .. n % 10, 0)
end
print(pcall(deep, 60))
local function unprotected(n) if n == 0 then error("far", 0) end return (unprotected(n - 1)) end
print(pcall(unprotected, 100))
-- locals of the frame around pcall are what the protected function made of them
local x, t = 1, {}
for i = 1, 10 do
    local y = i
    local ok = pcall(function() x = x + y y = y * 2 t[#t + 1] = y if i % 2 == 0 then error() end y = y + 1 end)
    io.write(tostring(ok), ":", x, ":", y, " ")
end
print(table.concat(t, " "))
