-- Constructors: lists, fields, mixed, more than 50 items, nested, with calls and varargs at the end.
local function many(n) if n > 0 then return n, many(n - 1) end end
local function list(...)
    return { ... }, { 0, ... }, { ..., 0 }, { (...) }, { n = select("#", ...), ... }
end
for i = 0, 9 do
    local a, b, c, d, e = list(many(i))
    print(#a, #b, #c, #d, e.n, #e, b[i + 1], c[2])
    local t = { i, i + 1, x = i, ["k" .. i] = "ten", many(2), y = { i, { i } }, (many(3)), [1 + 1] = "late", many(i) }
    print(#t, t[1], t[2], t[3], t[4], t[5], t.x, t.y[2][1], t["k" .. i])
end
local sixty = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30,
    31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59,
    many(12)
}
print(#sixty, sixty[50], sixty[51], sixty[60], sixty[71])
local function f(x) return x * x end
for k = 1, 3 do
    local squares = {
        f(k), f(2), f(3), f(4), f(5), f(6), f(7), f(8), f(9), f(10), f(11), f(12), f(13), f(14), f(15), f(16), f(17),
        f(18), f(19), f(20), f(21), f(22), f(23), f(24), f(25), f(26), f(27), f(28), f(29), f(30), f(31), f(32), f(33),
        f(34), f(35), f(36), f(37), f(38), f(39), f(40), f(41), f(42), f(43), f(44), f(45), f(46), f(47), f(48), f(49),
        f(50), f(51), f(52), f(53), f(54), f(55), name = f(k * 100), f(56), f(57), nil, f(58), many(k)
    }
    local s = 0
    for _, v in pairs(squares) do s = s + v end
    print(s, squares[50], squares[51], squares[58], squares.name, squares[59 + k])
end
local order = {}
local function note(x) order[#order + 1] = x return x end
local n = { [note "k1"] = note "v1", note "i1", f = note "f", note "i2", [note(2)] = note "v2", note "i3" }
print(table.concat(order, " "), n.k1, n[1], n[2], n[3], n.k2, n.f)
local deep = {}
for i = 1, 30 do deep = { deep, i, { i } } end
local sum = 0
while deep[1] do
    sum = sum + deep[2] * deep[3][1]
    deep = deep[1]
end
print(sum, #{ {}, {}, { {} } }, #{ n = 1 }, #"" == #{})
