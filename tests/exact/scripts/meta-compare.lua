-- Comparison metamethods: __eq, __lt, __le, with registers and constants, results made boolean.
local mt = {}
local calls = {}
local function new(v) return setmetatable({ v = v }, mt) end
local function val(x) return type(x) == "table" and x.v or x end
local function name(x) x = val(x) return type(x) == "table" and "table" or x end
local function called(e, a, b) calls[#calls + 1] = e .. name(a) .. "," .. name(b) end
function mt.__eq(a, b) called("eq", a, b) return val(a) == val(b) and "yes" or nil end
function mt.__lt(a, b) called("lt", a, b) return val(a) < val(b) and 0 end
function mt.__le(a, b) called("le", a, b) if val(a) <= val(b) then return {} end end
local function flush() print(table.concat(calls, " ")) calls = {} end
for i = 1, 10 do
    local a, b, c = new(i), new(5), new(i)
    print(a == b, a ~= b, a == c, a ~= c, a == a, a == i, a ~= i)
    print(a < b, a <= b, a > b, a >= b, a < c, a <= c)
    print(a < 5, a <= 5, a > 5, a >= 5, 5 < a, 5 <= a, 5 > a, 5 >= a)
    print(a < 5.0, a <= 5.0, a > 5.0, a >= 5.0, a < 5.5, a > 1000, 1000 >= a, i < b, b <= i)
    if a < b and not (a == c and b >= c) then io.write("then ") elseif a >= 5 then io.write("elseif ") else io.write("else ") end
    local x = a < b or c
    local y = a == b and "same" or a > b and "more" or "less"
    local n = 0
    while c <= 9 do
        n = n + 1
        c.v = c.v + 2
        if c == b then break end
    end
    repeat n = n + 1 until not (new(n) < a) or n > 20
    print(x == true, y, n)
    flush()
end
-- sort by metamethod, min by metamethod
local list = {}
for i = 1, 12 do list[i] = new(i * 5 % 13) end
table.sort(list)
for i = 1, 12 do io.write(list[i].v, " ") end
print(#calls > 12)
calls = {}
print(pcall(function() return new(1) < "x" end))
print(pcall(function() return {} < {} end))
print(pcall(function() return {} <= 1 end))
print({} == new(1), new(2) == {}, new(1) == "x", rawequal(new(1), new(1)))
flush()
