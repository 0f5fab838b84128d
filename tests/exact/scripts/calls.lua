-- Calls: arguments short and long, results cut and filled up, calls as arguments of calls.
local function none() end
local function one(a) return a * 2 end
local function three(a, b, c) return c, b, a end
local function ten(a)
    return a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, a + 8, a + 9
end

for i = 1, 25 do
    local a, b, c, d = three(i, i + 1, i + 2)
    print(i, a, b, c, d)
    local e, f = (three(i, i * i, -i))
    print(e, f, one(one(one(i))), three(one(i), one(i + 1), one(i + 2)))
    print(three(i), three(i, 2), none(), (none()), one(three(i, i, 7)))
    print(three(ten(i)), ten(ten(i)))
    local t = { none(), one(i), three(i, 2, 3), ten(i) }
    print(#t, t[1], t[2], t[3], t[4], t[13])
end

-- a parameter is a local like any other
local function change(a, b)
    a, b = b, a
    local function swap() a, b = b, a end
    swap()
    swap()
    return a - b
end
for i = 1, 20 do io.write(change(i, i * i), " ") end
print()

-- many parameters and many live temporaries
local function wide(a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p)
    return a + b * c - d + e * f - g + h * i - j + k * l - m + n * o - p
end
for i = 1, 20 do
    print(wide(i, 1, 2, one(i), 4, 5, one(6), 7, 8, 9, one(one(10)), 11, 12, 13, 14, one(i)))
end
