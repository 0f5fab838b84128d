-- Bit metamethods by operand kind, numbers that are no integers and strings on the other side.
local mt = {}
local function new(v) return setmetatable({ v = v }, mt) end
local function val(x) return type(x) == "table" and x.v or tostring(x) end
for _, e in ipairs { "band", "bor", "bxor", "shl", "shr", "bnot" } do
    mt["__" .. e] = function(a, b) return new("[" .. val(a) .. " " .. e .. " " .. val(b) .. "]") end
end
local function show(...)
    local t = table.pack(...)
    for i = 1, t.n do t[i] = val(t[i]) end
    print(table.concat(t, " "))
end
for i = 1, 8 do
    local a, b, n, f = new("a" .. i), new "b", i, i + 0.25
    show(a & b, a | b, a ~ b, a << b, a >> b, ~a)
    show(a & n, a | n, a ~ n, a << n, a >> n)
    show(n & a, n | a, n ~ a, n << a, n >> a)
    show(a & 7, a | 7, a ~ 7, a << 7, a >> 7)
    show(7 & a, 7 | a, 7 ~ a, 7 << a, 7 >> a)
    show(a & 70000, a | 70000, a ~ 70000, a << 70000, a >> 70000, 70000 & a)
    show(a & f, f | a, a ~ "x", "y" << a, a >> 1.5, 1.5 << a)
    show(~(a & ~b), (a | b) ~ (n & 12), 1 << (a >> 1))
end
print(pcall(function() local x = {} return x & 1 end))
print(pcall(function() return 1.5 | 1 end))
print(pcall(function() return "a" ~ 1 end))
print(pcall(function() return "12" & 10 end))
print(pcall(function() return ~"5" end))
-- a metatable for strings' arithmetic is there already; one for nil and booleans is made here
debug.setmetatable(nil, { __bor = function(a, b) return tostring(a) .. "|" .. tostring(b) end })
debug.setmetatable(true, { __band = function(a, b) return tostring(a) .. "&" .. tostring(b) end,
    __add = function(a, b) return (a == true and 1 or b == true and 1 or 0) + 10 end })
for i = 1, 10 do
    local none
    print(none | i, 1 | none, true & i, 5 & false, true + 1, false + 2)
end
