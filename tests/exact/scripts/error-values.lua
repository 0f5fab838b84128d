-- Errors that are tables, functions, booleans, nil, objects with __tostring; thrown on and on.
local class = setmetatable({}, { __call = function(c, m, code) return setmetatable({ m = m, code = code, path = {} }, c) end })
class.__index = class
class.__tostring = function(e) return e.m .. "#" .. e.code .. "[" .. table.concat(e.path, ">") .. "]" end
class.__eq = function(a, b) return a.code == b.code end
local function raise(n) if n == 0 then error(class("base", 7)) end return (raise(n - 1)) end
local function through(n, name)
    local ok, e = pcall(n > 0 and through or raise, n > 0 and n - 1 or 3, name .. n)
    if not ok then
        e.path[#e.path + 1] = name
        e.code = e.code + 1
        error(e)
    end
end
for n = 0, 6 do
    local ok, e = pcall(through, n, "p")
    print(ok, tostring(e), getmetatable(e) == class, e == class("other", e.code), e == class("other", 0))
end
for _, v in ipairs { 1, 1.5, "s", true, false } do
    local ok, e = pcall(error, v, 2)
    print(ok, e, math.type(e) or type(e))
end
local ok, e = pcall(error)
print(ok, e)
local f = function() return "called" end
ok, e = pcall(error, f)
print(ok, e == f, e())
ok, e = pcall(error, print)
print(ok, e == print)
-- an error value that holds the state of the computation, for going on
local state = { i = 1, sum = 0 }
local function go(s)
    while s.i <= 20 do
        s.sum = s.sum + s.i
        s.i = s.i + 1
        if s.i % 4 == 0 then error(s) end
    end
    return s.sum
end
for round = 1, 10 do
    local done, r = pcall(go, state)
    print(round, done, done and r or r.sum)
    if done then break end
end
print(select(2, pcall(assert, false)), select(2, pcall(assert, nil, "why")), select(2, pcall(assert, false, state)) == state)
print(assert(1, 2, 3), select("#", assert(true, nil, nil)))
