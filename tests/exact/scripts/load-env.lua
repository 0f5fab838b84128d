-- Environments: load with one, functions with a local _ENV, as parameter, upvalue, changed later.
local function sandbox(extra)
    local env = setmetatable({}, { __index = function(_, k) return extra[k] or _G[k] end })
    return env
end
for i = 1, 8 do
    local env = sandbox { base = i * 100 }
    local f = load("count = (count or base) + 1 local s = string.rep('x', count % 5) return count, s, _ENV", "=env", "t", env)
    f()
    local c, s, e = f()
    print(i, c, s, e == env, rawget(env, "count"), rawget(_G, "count"))
end
local function with(_ENV, ...)
    a = ...
    b = (b or 0) + a
    return a + b, function() b = b * 2 return b end
end
local t1, t2 = { print = print }, { b = 50 }
for i = 1, 6 do
    local v, f = with(t1, i)
    local w, g = with(t2, i * 2)
    print(v, f(), w, g(), t1.a, t1.b, t2.a, t2.b)
end
do
    local tostring, type, print = tostring, type, print
    local _ENV = { x = 1 }
    function inc() x = x + 1 return x end
    local function nested()
        local _ENV = { x = x * 10, inc = inc }
        return x, inc()
    end
    for i = 1, 5 do
        x = x + i
        print(x, inc(), nested())
    end
    print(type(inc), tostring(_G), tostring(y))
end
do
    local _ENV <const> = { z = 3, print = print, pcall = pcall }
    z = z * z
    print(z, pcall(function() return missing.field end))
end
local env = {}
local set = load("v = (...)", "=set", "t", env)
for i = 1, 5 do set(i) end
print(env.v, v)
debug.setupvalue(set, 1, t1)
set("changed")
print(env.v, t1.v)
print(pcall(load("return 1 + undefined", "=arith", "t", {})))
print(pcall(load("print(1)", "=none", "t", {})))
_ENV = setmetatable({ old = _ENV }, { __index = _ENV })
fresh = 1
print(fresh, old.fresh, _ENV.fresh)
