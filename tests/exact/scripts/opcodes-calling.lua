-- Every instruction that can call, with a short Lua function behind it that stays on top a while.
local mt = {}
local depth = 0
local function work(a, b)
    local s = depth
    depth = depth + 1
    for i = 1, 3 do s = s + i end
    depth = depth - 1
    return type(a) == "number" and a + s or type(b) == "number" and b + s or s
end
for _, e in ipairs { "add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr",
    "unm", "bnot", "len", "index", "call" } do mt["__" .. e] = function(a, b) return work(a, b) end end
function mt.__concat(a, b) return "c" .. work(a, b) end
function mt.__eq(a, b) return work(a, b) > 0 end
function mt.__lt(a, b) return work(a, b) > 5 end
function mt.__le(a, b) return work(a, b) > 6 end
function mt.__newindex(t, k, v) rawset(t, "sum", (rawget(t, "sum") or 0) + work(k, v)) end
local function new() return setmetatable({}, mt) end
local env = setmetatable({}, mt)
local function each(_, i) if i < 2 then return i + 1, work(i) end end
local function every(n)
    local _ENV = env
    local function globals() set = n return get end
    local a, b, key, r = new(), new(), n + 0.5, {}
    local function keep(v) r[#r + 1] = v end
    keep(globals())
    keep(a + b) keep(a - n) keep(n * a) keep(a / 2) keep(3 % a) keep(a ^ 2) keep(a // 7) keep(a + 1) keep(1 - a)
    keep(a & b) keep(a | 1) keep(2 ~ a) keep(a << 1) keep(1 << a) keep(a >> 3)
    keep(-a) keep(~a) keep(#a)
    keep(a .. b) keep("x" .. a .. "y" .. n) keep(n .. 1 .. a)
    keep(a == b) keep(a < b) keep(a <= b) keep(a > b) keep(a >= b)
    keep(a < 1) keep(a <= 2) keep(a > 3) keep(a >= 4) keep(5 < a) keep(6.0 >= a)
    keep(a.field) keep(a[1]) keep(a[key]) keep(a["key" .. n]) keep(a(n))
    a.field = n a[1] = n a[key] = n a["key" .. n] = "v"
    keep(a.sum)
    for i, v in each, nil, 0 do keep(i + v) end
    keep(rawget_all(a))
    return r
end
function env.rawget_all() return 0 end
setmetatable(env, nil)
env.rawget_all = function(o) return rawget(o, "sum") end
setmetatable(env, mt)
debug.setmetatable("", { __index = function(_, k) work(1) return string[k] or function(_, x) return x + work(2) end end })
local function native(n) return pcall(every, n) end
local function selfcall(s, n) return s:method(n) + ("lit"):method(n) end
for n = 1, 4 do
    local ok, r = native(n)
    for i = 1, #r do r[i] = tostring(r[i]) end
    print(ok, table.concat(r, " "))
    print(selfcall("s", n), ok)
end
