-- Varargs: select, table.pack, passing through, nils among them, recursion over them.
local function sum(...)
    local s = 0
    for i = 1, select("#", ...) do s = s + (select(i, ...) or 100) end
    return s
end
local function reverse(a, ...)
    if select("#", ...) == 0 then return a end
    local t = table.pack(reverse(...))
    t[t.n + 1] = a
    return table.unpack(t, 1, t.n + 1)
end
local function fixed(a, b, ...)
    local c, d = ...
    return b, a, d, c, ...
end
local function keep(...)
    local args = { ... }
    return function(...)
        return sum(table.unpack(args)), sum(...), #args
    end
end

for i = 1, 9 do
    print(sum(), sum(i), sum(i, nil, i), sum(nil, nil), sum(fixed(1, 2, 3, i)))
    print(reverse(i, i + 1, nil, i + 3))
    print(fixed(), fixed(i), "|", fixed(i, 2, 3, 4, 5))
    print(keep(i, i, i)(i, 2))
end
print(select(-1, 1, 2, 3), select(-2, 1, 2, 3))
print((select("#", table.unpack({}, 1, 30))))

local function rotate(n, x, ...)
    if n == 0 then return x, ... end
    local t = table.pack(...)
    t[t.n + 1] = x
    return rotate(n - 1, table.unpack(t, 1, t.n + 1))
end
for i = 0, 6 do print(i, rotate(i, "a", "b", "c", "d", nil)) end
