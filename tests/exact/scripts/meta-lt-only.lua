-- a <= b without __le: Lua 5.4 built with compatibility tries not (b < a); errors otherwise.
local mt = { __lt = function(a, b)
    local x, y = type(a) == "table" and a.v or a, type(b) == "table" and b.v or b
    local s = 0
    for i = 1, 3 do s = s + i * x end
    return s < 6 * y, "second"
end }
local function new(v) return setmetatable({ v = v }, mt) end
for i = 1, 8 do
    for j = 1, 8, 3 do
        local a, b = new(i), new(j)
        local r = {}
        for k, f in ipairs {
            function() return a <= b end,
            function() return a >= b end,
            function() return a <= 4 end,
            function() return a >= 4 end,
            function() return 4 <= a end,
            function() return not (a <= j) end,
            function() if a <= b then return "le" else return "gt" end end,
            function() return a <= b and b <= 7 and a < b end,
        } do
            local ok, v = pcall(f)
            r[k] = ok and tostring(v) or (v:gsub("^.-:%d+: ", ""))
        end
        print(i, j, table.concat(r, " "))
    end
end
-- one operand has both, the other only __lt
local full = { __lt = mt.__lt, __le = function() return "le called" end }
for i = 1, 5 do
    local a, b = new(i), setmetatable({ v = 3 }, full)
    print(a <= b, b <= a, a < b, b < a, b >= 2, 2 <= b)
end
