-- Numeric for: integers, negative steps, floats, bounds that overflow or need to be cut.
local function list(a, b, c)
    local t = {}
    for i = a, b, c or 1 do
        t[#t + 1] = i
        if #t == 12 then break end
    end
    print(a, b, c, "->", table.concat(t, " "))
end
local max, min = math.maxinteger, math.mininteger
list(1, 5)
list(5, 1)
list(5, 1, -1)
list(5, 1, -2)
list(1, 0)
list(1, 1)
list(-3, 3, 2)
list(max - 3, max)
list(max - 4, max, 3)
list(min + 3, min, -1)
list(min + 4, min, -3)
list(max, min, min)
list(min, max, max)
list(1, 3.9)
list(3, 1.1, -1)
list(1, math.huge)
list(1, -math.huge)
list(-1, -math.huge, -1)
list(1.0, 3)
list(1, 2, 0.25)
list(2, 1, -0.25)
list(0.1, 1, 0.3)
list(1.5, 1.5)
list(-0.0, 0)
list(2 ^ 53, 2 ^ 53 + 8)
list(max, max + 1.0)
print(pcall(list, 1, 2, 0))
print(pcall(list, 1, 2, 0.0))
print(pcall(list, "1", 2))
print(pcall(list, 1, {}))
print(pcall(list, 1, 2, "x"))
local n = 0
for i = 1, 10 do
    for j = i, 10, i do
        for k = j, 1, -j do n = n * 3 % 1000003 + i * j * k end
        n = n + 1
    end
end
print(n)
for i = 1, 3 do
    local copy = i
    i = i * 10
    print(copy, i)
end
