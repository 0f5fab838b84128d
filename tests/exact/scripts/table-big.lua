-- A constructor with more than 500 items, made by load; one with more constants than an operand holds.
local function source(n, item)
    local parts = {}
    for i = 1, n do parts[i] = item(i) end
    return "local f, g = ... return { " .. table.concat(parts, ", ") .. " }"
end
local calls = 0
local function f(x) calls = calls + 1 return x end
local function g(n) if n > 0 then return -n, g(n - 1) end end
local numbers = load(source(520, function(i) return tostring(i * 3) end))(f, g)
print(#numbers, numbers[1], numbers[256], numbers[257], numbers[520])
local called = load(source(510, function(i) return i % 7 == 0 and "f(" .. i .. ")" or "'s" .. i .. "'" end))(f, g)
print(#called, calls, called[7], called[504], called[505])
local mixed = load(source(600, function(i)
    if i == 600 then return "g(25)" end
    if i % 4 == 0 then return "k" .. i .. " = " .. i .. ".5" end
    return "f(" .. i .. ")"
end))(f, g)
print(#mixed, mixed.k8, mixed.k596, mixed[450], mixed[451], mixed[475], calls)
local s = 0
for i = 1, #mixed do s = (s * 31 + mixed[i]) % 1000003 end
print(s)
-- a function with more than 256 different constants, in every place a constant can be
local lines = { "local t = {} local n, s = 0, ''" }
for i = 1, 300 do
    lines[#lines + 1] = ("t.field%d = %d.25 n = n + t.field%d * %d"):format(i, i, i, i + 1000)
    if i % 50 == 0 then lines[#lines + 1] = ("s = s .. 'text%d' if n == %d then s = '' end t['key %d'] = s"):format(i, i + 5000, i) end
end
lines[#lines + 1] = "return n, s, t['key 250'], t.field299"
print(load(table.concat(lines, "\n"))())
