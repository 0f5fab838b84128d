-- Classes with operators that are inherited, tostring, and metamethods that call metamethods.
local function class(parent)
    local c = {}
    if parent then for k, v in next, parent do if type(k) == "string" and k:sub(1, 2) == "__" then c[k] = v end end end
    c.__index = c
    return setmetatable(c, { __index = parent, __call = function(cl, ...)
        local o = setmetatable({}, cl)
        o:init(...)
        return o
    end })
end
local vector = class()
function vector:init(...) for i = 1, select("#", ...) do self[i] = (select(i, ...)) end end
function vector.__add(a, b) local r = getmetatable(a)() for i = 1, #a do r[i] = a[i] + b[i] end return r end
function vector.__mul(a, b)
    if type(a) == "number" then a, b = b, a end
    if type(b) == "number" then local r = getmetatable(a)() for i = 1, #a do r[i] = a[i] * b end return r end
    local s = 0
    for i = 1, #a do s = s + a[i] * b[i] end
    return s
end
function vector.__unm(a) return a * -1 end
function vector.__sub(a, b) return a + -b end
function vector.__eq(a, b) for i = 1, math.max(#a, #b) do if a[i] ~= b[i] then return false end end return true end
function vector.__lt(a, b) return a * a < b * b end
function vector.__le(a, b) return a * a <= b * b end
function vector.__tostring(a) return a:name() .. "(" .. table.concat(a, ",") .. ")" end
function vector.__concat(a, b) return tostring(a) .. tostring(b) end
function vector.name() return "vector" end
local point = class(vector)
function point.name() return "point" end
function point:init(...)
    vector.init(self, ...)
    self.made = true
end
local function rational(n, d) return function() return n / d end end
local v, p = vector(1, 2, 3), point(4, 5, 6)
for i = 1, 8 do
    local w = v * i + p - v
    local q = p - w * 2 + -p
    print(w, q, w * q, w == q, w < q, w <= v, "[" .. w .. q .. "]")
    v = q * (i % 2 == 0 and -1 or 1)
    p = w + point(rational(i, 2)(), 1, i)
    if p > v and not (p == v) then io.write("p ") end
end
print(tostring(v):len(), tostring(p))
