-- Most instructions, in frames of every kind: of the main thread and of coroutines, called by Lua, by C,
-- by a metamethod and by an iterator, with '...' and without.
local text = [[
local up, shared, mt = ...
local function called(...) local n = select("#", ...) return n + up end
return function(o, p ARGUMENTS)
    local x, y, f, s, z, none = 40, 3, 2.5, "text", 0, nil
    local yes, no, object = true, false, setmetatable({}, mt)
    x = x + y x = x - y x = x * y x = x % 1000 x = x // 3 x = x % y f = x / y f = f ^ 2.0 f = y ^ 2 f = f / 3
    x = x & y x = x | y x = x ~ y x = x << y x = x >> y x = x & 255 x = x | 16 x = x ~ 7 x = x << 2 x = 1 << x % 8
    x = -x x = ~x x = #s + x no = not yes up = up + 1 counted = (counted or 0) + 1
    local t = { x, y, k = x, EXTRA }
    t.field = y t[1] = x t[y] = s t[s] = y z = t.field z = t[1] z = t[y] z = t[s] shared[1] = shared[1] + z
    local part = s .. x .. s
    local kept = function() x = x + up return x end
    if x == y or x < y or x <= y then z = 1 end
    if x == 7 or s == "text" or x < 5 or x <= 6 or x > 7 or x >= 8 then z = z + 1 end
    local b, c, d = x > y, yes and z or no, none or x < 3
    for k = 1, 2 do z = z + k local cut = function() k = k + 1 return k end z = z + cut() end
    for _, v in ipairs(shared) do z = z + v % 3 end
    for v in function(_, v) return not v and 1 or nil end do z = z + v end
    do local close <close> = object z = z + called(EXTRA) end
    z = z + called(called(EXTRA)) + (object + 1) + (2 - object) + (object & 7) + -object + #object
    z = z + object.field + object[1] + object[s] + object(1) + object:method()
    object[1] = z object.field = z object[s] = z
    if object == setmetatable({}, mt) or object < 1 or object <= 2 or object > 3 or object >= object then z = z + 1 end
    s = s .. object .. s
    return RESULT
end]]
local function work(n) local s = 0 for i = 1, 2 do s = s + i + n % 2 end return s end
local mt = { __close = function() work(1) end,
    __newindex = function() work(2) end, __concat = function() return "c" .. work(3) end,
    __call = function(_, n) return work(n) end, __eq = function() return work(1) > 9 end,
    __lt = function() return work(1) > 9 end, __le = function() return work(2) > 9 end }
for _, e in ipairs { "add", "sub", "band", "unm", "len" } do mt["__" .. e] = function() return work(4) end end
mt.__index = function(_, k) return k == "method" and function() return work(5) end or work(1) end
local shared = { 1, 2 }
local function make(arguments, extra, result)
    local made = text:gsub("%u%u%u%u%u+", { ARGUMENTS = arguments, EXTRA = extra, RESULT = result })
    return load(made, "=made")(3, shared, mt)
end
local plain = make("", "o", "z % 1000, #part, b, c, d, kept()")
local tailed = make("", "p", "called(z % 1000)")
local open = make(", ...", "...", "z % 1000, ...")
local function all(name)
    for i, f in ipairs { plain, tailed, open } do
        local r = { f(1, 2, 3) }
        print(name, i, #r, r[1])
        print(name, i, pcall(f, 1, 2, 3))
        local adds = setmetatable({}, { __add = f, __index = f })
        print(name, i, adds + 1, adds.x)
        for v in f, 1, 2 do print(name, i, v) break end
    end
end
all("main")
coroutine.wrap(all)("coroutine")
for _, f in ipairs { plain, tailed, open } do print(coroutine.wrap(f)(1, 2, 3)) end
print(shared[1], counted)
