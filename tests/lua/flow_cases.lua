-- luacheck: ignore
-- Small functions with all kinds of code, for tests/unit/test_flow.c, which overwrites registers
-- while they run. Prints what came out; the same in each run.

local function show(v)
    if math.type(v) == "float" then
        return ("%.17g"):format(v)
    elseif type(v) == "table" and getmetatable(v) == nil then
        local t = {}
        for i = 1, #v do t[i] = show(v[i]) end
        return "{" .. table.concat(t, " ") .. "}"
    elseif type(v) == "table" or type(v) == "function" or type(v) == "thread" then
        return type(v)
    end
    return tostring(v)
end

local function case(name, f, ...)
    local r = table.pack(pcall(f, ...))
    for i = 1, r.n do r[i] = show(r[i]) end
    print(name .. ": " .. table.concat(r, " ", 1, r.n))
end

-- Objects that answer every event.
local log = {}
local mt = {}
local function box(v) return setmetatable({v = v}, mt) end
local function un(x) if getmetatable(x) == mt then return rawget(x, "v") end return x end
local function binary(f)
    return function(a, b)
        local x, y = un(a), un(b)
        local r = f(x, y)
        log[#log + 1] = tostring(r)
        return box(r)
    end
end
mt.__add = binary(function(a, b) return a + b end)
mt.__sub = binary(function(a, b) return a - b end)
mt.__mul = binary(function(a, b) return a * b end)
mt.__div = binary(function(a, b) return a / b end)
mt.__mod = binary(function(a, b) return a % b end)
mt.__pow = binary(function(a, b) return a ^ b end)
mt.__idiv = binary(function(a, b) return a // b end)
mt.__band = binary(function(a, b) return a & b end)
mt.__bor = binary(function(a, b) return a | b end)
mt.__bxor = binary(function(a, b) return a ~ b end)
mt.__shl = binary(function(a, b) return a << b end)
mt.__shr = binary(function(a, b) return a >> b end)
mt.__unm = function(a) local x = un(a) return box(-x) end
mt.__bnot = function(a) local x = un(a) return box(~x) end
mt.__len = function(a) local x = un(a) local y = x * 2 return y end
mt.__concat = function(a, b)
    local x, y = tostring(un(a)), tostring(un(b))
    local r = "<" .. x .. y .. ">"
    return r
end
mt.__eq = function(a, b) local x, y = un(a), un(b) return x == y end
mt.__lt = function(a, b) local x, y = un(a), un(b) return x < y end
mt.__le = function(a, b) local x, y = un(a), un(b) return x <= y end
mt.__index = function(t, k)
    local x = k
    for i = 1, 2 do x = x end
    return function(self, ...) local n = select("#", ...) return tostring(k) .. un(self) .. n end
end
mt.__newindex = function(t, k, v) local x, y = k, v log[#log + 1] = tostring(x) .. tostring(un(y)) end
mt.__call = function(self, ...) local a, b, c = ... return un(self), b, a, c end

case("arithmetic", function()
    local a, b, c = box(7), box(3), 5
    local r = {}
    local function put(x) r[#r + 1] = un(x) end
    put(a + b) put(a - b) put(a * b) put(a / b) put(a % b) put(a ^ b) put(a // b)
    put(a & b) put(a | b) put(a ~ b) put(a << b) put(a >> b) put(-a) put(~a) put(#a)
    put(a + 1) put(1 + a) put(a - 1) put(1 - a) put(a * 2) put(2 * a) put(a / 2) put(2 / a)
    put(a % 4) put(a ^ 2) put(a // 2) put(a & 3) put(3 & a) put(a | 8) put(a ~ 1) put(a << 1)
    put(1 << a) put(a >> 1) put(100 >> a) put(a + c * b - (c - a) * (b + c))
    a = a + b; b = b - a; c = c + a; put(a) put(b) put(c)
    return r
end)

case("temporaries", function()
    local function f(...) return ... end
    local t, a = {}, box(6)
    f(t)[1] = f(2); f(t).x = f(3); f(t)[f("y")] = f(4); f(t)[2], f(t).z = f(5, 6)
    local r = {f(7) - f(3), f(7) * f(3), f(7) / f(2), f(7) % f(4), f(2) ^ f(3), f(7) // f(2),
        f(7) & f(3), f(4) | f(1), f(7) ~ f(2), f(1) << f(4), f(64) >> f(2), -f(5), ~f(5), #f(t)}
    local s = {f(7) - 3, f(7) * 3, f(7) / 2, f(7) % 4, f(2) ^ 3, f(7) // 2, f(7) & 3, f(4) | 1,
        f(7) ~ 2, 1 << f(4), f(64) >> 2, f(1) << 2, 3 - f(7), f(7) + 300, f(7) - 0.5, 2 ^ f(3)}
    local u = {f(a) - f(3), f(7) * f(a), f(a) % 4, 2 ^ f(a), f(a) >> 1, 1 << f(a), 3 - f(a), -f(a)}
    for i = 1, #u do u[i] = un(u[i]) end
    local v = {not f(1), not f(nil) and f(3), f(1) == f(2), f(a) < f(a), f(a) <= 6, 7 >= f(a),
        f(t)[1] < f(t)[2], f(1) and f(2) or f(3), (f(nil) or f(false)) == f(false)}
    for i = 1, #v do v[i] = tostring(v[i]) end
    return r, s, u, v, t.x + t.y + t.z, f(1) .. f("x") .. f(a) .. f(2), f(a)(f(1), f(2)), f(a):m(f(1))
end)

case("comparison", function()
    local a, b, t = box(1), box(2), {}
    local function put(...) for _, v in ipairs {...} do t[#t + 1] = v end end
    put(a < b, a <= b, a > b, a >= b, a == b, a ~= b, a == box(1), a == a)
    put(a < 5, a <= 5, a > 5, a >= 5, 5 < a, 5 <= a, 5 > a, 5 >= a, a == 1, a < 1.0, 2.0 >= a)
    if a < b and not (b < a) then put(1) else put(2) end
    if a > 0 or b > 0 then put(3) end
    local x = a < b and a or b
    local y = a > b and "no" or (a == b and 1 or un(b))
    put(un(x), y, not (a <= b), (a <= b) == true)
    local lt = setmetatable({}, {__lt = function(p, q) local z = p return q ~= nil end})
    put(pcall(function() return lt <= lt end))
    return t
end)

case("index", function()
    local a, t = box(1), setmetatable({}, {__index = box(4)})
    a.x = 5; a[1] = 6; a["y" .. 1] = box(7); a[true] = 8
    t.v = nil
    local f = t.other
    local s = a:name(1, 2) .. a.other(a) .. a[3](a, 1) .. a["k" .. "l"](a)
    local u = setmetatable({}, {__index = function(_, k) local z = k .. k return z end})
    local r = u.a .. u.b .. u[1] .. (u.c and u.d or u.e)
    return s, r, f(a), table.concat(log, ",")
end)

case("concat", function()
    local a, b, n = box("a"), "b", 1
    local s = "x" .. a .. b .. n .. a .. "y" .. 2 .. a
    local t = a .. b .. a
    local u = b .. n .. (a .. (b .. n)) .. ("" .. n .. "") .. #s
    local v = 1 .. 2 .. a .. 3.5 .. "" .. a .. ""
    return s, t, u, v, a .. (n + 1) .. (n == 1 and "t" or "f")
end)

case("numeric for", function()
    local sum, floats, t = 0, 0, {}
    for i = 1, 5 do for j = i, 1, -1 do for k = 1, 2 do sum = sum + i * j + k end end end
    for x = 1.0, 2, 0.25 do floats = floats + x; local y = x * 2; floats = floats - y / 3 end
    for i = 10, 1 do t = nil end
    for i = 1, 0.5 do t = nil end
    for i = math.maxinteger - 1, math.maxinteger do t[#t + 1] = i end
    for i = 1, 3 do local i = i * 2; t[#t + 1] = i; i = {} end
    for i = 1, 10 do
        if i == 3 then goto continue end
        local x = i
        if i > 6 then break end
        t[#t + 1] = x
        ::continue::
    end
    return sum, floats, t
end)

case("generic for", function()
    local t, r = {10, 20, 30, a = 1}, {}
    for k, v in pairs(t) do if k ~= "a" then r[#r + 1] = k + v end end
    for i, v in ipairs(t) do local w = v; for _, x in ipairs {w, w} do r[#r + 1] = x + i end end
    for a, b, c, d in function(s, c) c = c + 1 if c < s then return c, c * 2, c * 3 end end, 4, 0 do
        r[#r + 1] = a + b + c + (d or 100)
        local x, y = a, b
        r[#r + 1] = x * y
    end
    for w in ("one two three"):gmatch "%a+" do r[#r + 1] = w end
    for line in coroutine.wrap(function() for i = 1, 3 do coroutine.yield(i .. "!") end end) do
        r[#r + 1] = line
        if line == "2!" then break end
    end
    for v in setmetatable({n = 0}, {__call = function(s) s.n = s.n + 1 return s.n < 3 and s.n or nil end}) do
        r[#r + 1] = v
    end
    return r
end)

case("closures in loops", function()
    local fs, r = {}, {}
    for i = 1, 4 do
        local j = i * 10
        fs[#fs + 1] = function() i = i + 1; j = j + 1; return i + j end
        fs[#fs + 1] = function() return i, j end
        if i == 3 then break end
    end
    for k, v in pairs {1, 2, 3} do
        fs[#fs + 1] = function() k = k + 1 return k * v end
    end
    local n = 0
    while true do
        n = n + 1
        local m = n
        local function f() m = m + n; return m end
        fs[#fs + 1] = f
        if n > 3 then break end
        if n % 2 == 0 then goto continue end
        m = m * 2
        ::continue::
    end
    repeat
        local last = n
        fs[#fs + 1] = function() last = last - 1; return last end
        n = n - 1
    until last < 2
    local spare = {n, n, n}
    for i, f in ipairs(fs) do local a, b = f() r[#r + 1] = a + (b or 0) + #spare + f() end
    return r
end)

case("goto", function()
    local i, r = 1, {}
    ::top::
    do
        local x = i
        r[#r + 1] = function() return x end
        i = i + 1
        if i < 5 then goto top end
    end
    do
        goto skip
        local y
        ::skip::
    end
    for a = 1, 3 do
        for b = 1, 3 do
            local c = a * b
            local g = function() return c end
            if c == 4 then goto out end
            r[#r + 1] = g
        end
    end
    ::out::
    local s = 0
    for k, f in ipairs(r) do s = s * 2 + f() end
    return s
end)

-- To-be-closed variables. (With a closing value no break beside a closure: Lua 5.4.4 errs there.)
local closed = {}
local function closer(name)
    return setmetatable({}, {__close = function(self, e)
        local n, m = name, #closed
        closed[m + 1] = n .. (e and "!" or "")
    end})
end

case("close", function()
    local r = {}
    do local a <close> = closer "a"; local b <close> = closer "b"; r[1] = #closed end
    for i = 1, 3 do
        local c <close> = closer("c" .. i)
        local d <close> = i == 2 and closer "d" or nil
        if i == 2 then goto continue end
        r[#r + 1] = i
        ::continue::
    end
    while true do
        local e <close> = closer "e"
        if #r > 2 then break end
        local f <close> = closer "f"
        r[#r + 1] = #closed
    end
    local function g(...)
        local h <close> = closer "h"
        local i <close> = closer "i"
        return ..., #closed, (select("#", ...))
    end
    r[#r + 1] = table.concat({g(7, 8, 9)}, "/")
    local function k(n)
        local l <close> = closer("l" .. n)
        if n > 0 then return k(n - 1) end
        return n, "end"
    end
    r[#r + 1] = table.concat({k(3)}, "/")
    local ok, message = pcall(function()
        local m <close> = closer "m"
        local n <close> = setmetatable({}, {__close = function(_, e) error(e .. "+", 0) end})
        local o <close> = closer "o"
        error("oops", 0)
    end)
    r[#r + 1] = message
    for i, v in function(s, c) c = c + 1 if c < s then return c, c end end, 3, 0, closer "p" do
        r[#r + 1] = v
    end
    for i, v in function(s, c) c = c + 1 if c < s then return c, c end end, 9, 0, closer "q" do
        if v == 4 then break end
        r[#r + 1] = v
    end
    return r, closed
end)

case("close in a coroutine", function()
    closed = {}
    local function slow(n)
        return setmetatable({}, {__close = function() closed[#closed + 1] = n; coroutine.yield(n) end})
    end
    local co = coroutine.wrap(function(...)
        do local a <close> = slow "a"; local b <close> = slow "b"; local c = 1 end
        for i = 1, 2 do local d <close> = slow("d" .. i) if i == 2 then break end end
        local e <close> = slow "e"
        local f <close> = slow "f"
        return ..., "end"
    end)
    local r = {}
    r[1] = co(1, 2)
    while #r < 6 do r[#r + 1] = co() end
    local x = {co()}
    return r, x, closed
end)

case("varargs", function(...)
    local function count(...) return select("#", ...) end
    local function pass(...) return ... end
    local function first(a, ...) local b, c = ... return a, b, c, count(...) end
    local function tail(...) return count(...) end
    local function sum(...) local s = 0 for i = 1, select("#", ...) do s = s + (select(i, ...)) end return s end
    local a, b, c, d = ...
    local t = {..., ...}
    local u = {pass(1, 2, pass(3, 4)), (pass(5, 6))}
    local v = {n = count(pass()), pass(), pass(7), nil, pass(8, 9)}
    local w = {first(1, 2, 3, 4)}
    return a, b, c, d, t, u, v[1], v[2], w, tail(pass(...)), sum(pass(1, 2, 3)), (pass(1, 2))
end, 1, 2, 3)

case("assignment", function()
    local a, b, c = 1, 2, 3
    a, b, c = c, a, b
    local t = {1, 2, 3}
    local i = 1
    i, t[i], t[i + 1] = i + 1, 20, 30
    t[1], t[2], t[3] = t[3], t[1], t[2]
    local function two() return 8, 9 end
    local x, y, z = two()
    local p, q, s = 0, two()
    local m, n = (two())
    x, y = y, x
    t.k, t.l, i = two(), i, t
    i.m, i = 5, 6
    local u, w = {two(), two()}, {two(), (two())}
    return a, b, c, t, x, y, z, p, q, s, m, n, t.k, t.l, t.m, i, u, w
end)

case("waiting values", function()
    local function f(n) local t = {} for i = 1, n do t[i] = i end return #t, n end
    local a, b, c = 1, f(2), f(3)
    local t = {f(1), x = f(2), f(3), [f(4)] = f(5), f(6)}
    local d, e = a + f(1) * f(2) - f(3), f(a) .. f(b) .. f(c)
    local g = {f, f, f}
    return a, b, c, t, d, e, g[f(1)](f(2)), t[f(2)] + t[#t], f(f(f(1)))
end)

case("constructors", function()
    local function id(...) return ... end
    local t = {1, 2, id(3), id(4, 5), {6, {7, id(8)}, id(9, 10)}, id(11, 12)}
    local long = {
        1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,
        26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48,
        49, id(50), id(51), 52, 53, id(54), {id(55)}, 56, 57, id(58) or 0, t[1] and 59, not t, 61,
        x = 1, y = id(2), [id(3)] = 4, 62, 63, 64, 65, 66, 67, 68, 69, 70, 71, 72, 73, 74, 75, 76,
        77, 78, 79, 80, 81, 82, 83, 84, 85, 86, 87, 88, 89, 90, 91, 92, 93, 94, 95, 96, 97, 98, 99,
        100, 101, id(102, 103, 104)}
    local n = 0
    for i, v in pairs(long) do n = n + (tonumber(v) or 1) end
    return t[3], t[4], t[5], #t, #long, n
end)

case("methods", function()
    local C = {}
    C.__index = C
    function C.new(x) return setmetatable({x = x}, C) end
    function C:get(...) return self.x, ... end
    function C:add(n) self.x = self.x + n; return self end
    function C:deep(n) if n == 0 then return self:get(n) end return self:add(n):deep(n - 1) end
    local o = C.new(1)
    local s = o:add(2):add(3):get()
    local a, b = o:deep(4)
    return s, a, b, o:get(1, 2), C.new(5):add(o:get()):get(), ("x"):rep(3), ("%d"):format(o.x)
end)

case("logic", function()
    local r = {}
    local function t(x) r[#r + 1] = x return x end
    for i = 0, 7 do
        local a, b, c = i & 1 == 1, i & 2 == 2 and i, i & 4 == 4 or nil
        local d = a and b or c
        local e = not a and (b or c) and not c
        local f = (a or b) and (b or c) or (not a and not b)
        if a and t(b) or c and t(d) then r[#r + 1] = 1 elseif not b then r[#r + 1] = 2 else r[#r + 1] = 3 end
        local g = a == b or b ~= c and a ~= c
        local h = t(a and 1) == 1 and t(b and 2) ~= 2
        while a do a = not a end
        repeat local z = c; c = false until not z
        local k = i < 4 and i > 1 and i or i == 5 and "five" or i ~= 6
        for _, v in ipairs {tostring(d), tostring(e), tostring(f), tostring(g), tostring(h), tostring(k)} do
            r[#r + 1] = v
        end
        b = b or i; a = a and b
        c = c == nil
        r[#r + 1] = tostring(a) .. tostring(b) .. tostring(c)
    end
    for i, v in ipairs(r) do r[i] = tostring(v) end
    return table.concat(r, " ")
end)

case("tail calls", function()
    local function loop(n, acc) if n == 0 then return acc end return loop(n - 1, acc + n) end
    local function va(n, ...) if n == 0 then return ... end return va(n - 1, n, ...) end
    local function cfunction(...) return select(2, ...) end
    local function yielding() return coroutine.yield(1, 2) end
    local function vyielding(...) local a = ... return coroutine.yield(a, ...) end
    local co = coroutine.wrap(function() local x = {yielding()} local y = {vyielding(5, 6)} return #x, #y, y[1] end)
    local a = {co()}
    local b = {co(3, 4, 5)}
    local function protected(n) local x = n return pcall(loop, x, 0) end
    return loop(50, 0), {va(5)}, {cfunction(1, 2, 3)}, a, b, {co("p", "q")}, protected(10), {box(1)(2, 3)},
        (function(...) return box(4)(...) end)(5)
end)

case("recursion", function()
    local function fib(n) if n < 2 then return n end return fib(n - 1) + fib(n - 2) end
    local function ack(m, n)
        if m == 0 then return n + 1 elseif n == 0 then return ack(m - 1, 1) end
        return ack(m - 1, ack(m, n - 1))
    end
    local function even(n) if n == 0 then return true end return (function(k) return even(k - 1) == false end)(n) end
    local function perm(a, n, out)
        n = n or #a
        if n <= 1 then out[#out + 1] = table.concat(a) else
            for i = 1, n do
                a[n], a[i] = a[i], a[n]
                perm(a, n - 1, out)
                a[n], a[i] = a[i], a[n]
            end
        end
        return out
    end
    local function queens(n)
        local count, cols, d1, d2 = 0, {}, {}, {}
        local function place(r)
            if r > n then count = count + 1 return end
            for c = 1, n do
                if not (cols[c] or d1[r + c] or d2[r - c + n]) then
                    cols[c], d1[r + c], d2[r - c + n] = true, true, true
                    place(r + 1)
                    cols[c], d1[r + c], d2[r - c + n] = nil, nil, nil
                end
            end
        end
        place(1)
        return count
    end
    return fib(12), ack(2, 3), even(10), table.concat(perm({"a", "b", "c", "d"}, nil, {}), ","), queens(5)
end)

case("coroutines", function()
    local function gen(n) return coroutine.wrap(function() for i = 1, n do coroutine.yield(i, i * i) end return "end" end) end
    local r = {}
    for i, sq in gen(4) do r[#r + 1] = i if i == "end" then break end r[#r + 1] = sq end
    local proxy = setmetatable({}, {
        __index = function(_, k) local v = coroutine.yield(k) return v end,
        __newindex = function(_, k, v) coroutine.yield(k .. v) end,
        __add = function(a, b) local x = coroutine.yield "add" return x end,
        __concat = function(a, b) local x = coroutine.yield "concat" return x end,
        __eq = function() return coroutine.yield "eq" end,
        __lt = function() return coroutine.yield "lt" end,
        __le = function() return coroutine.yield "le" end,
        __len = function() return coroutine.yield "len" end,
        __unm = function() return coroutine.yield "unm" end,
        __call = function(_, ...) local a = coroutine.yield "call" return a, ... end})
    local other = setmetatable({}, getmetatable(proxy))
    local co = coroutine.create(function(a)
        local t = {}
        t[1] = proxy.x
        proxy.y = 1
        t[2] = proxy + 1
        t[3] = "a" .. proxy .. "b" .. 1
        t[4] = proxy == other
        if proxy < other then t[5] = 1 else t[5] = 2 end
        t[6] = proxy <= other and "le" or "gt"
        t[7] = #proxy
        t[8] = -proxy
        t[9] = {proxy(1, 2)}
        t[10] = proxy[1] .. proxy["k" .. 2]
        t[11] = proxy:m(5) or 0
        for k in proxy do t[#t + 1] = k if #t > 14 then break end end
        if proxy < 1 then t[#t + 1] = "lt" end
        if not (2 >= proxy) then t[#t + 1] = "gt" end
        t[#t + 1] = {1, proxy.z, proxy(3)}
        local p, q = proxy.p, proxy.q
        t[#t + 1] = p .. q
        for i = 1, 2 do t[#t + 1] = i .. proxy.r end
        t[#t + 1] = {pcall(function() return proxy.s .. proxy.t end)}
        return t
    end)
    local ok, x = coroutine.resume(co)
    local n = 0
    while coroutine.status(co) ~= "dead" do
        n = n + 1
        r[#r + 1] = type(x) == "string" and x or show(x)
        local give = n
        if x == "m" then give = function(...) return "m" .. select("#", ...) end end
        if x == "eq" or x == "lt" or x == "le" then give = n % 2 == 0 end
        ok, x = coroutine.resume(co, give)
    end
    return ok, x, r
end)

case("errors", function()
    local r = {}
    local function try(f, ...) local ok, e = pcall(f, ...) r[#r + 1] = tostring(e):gsub("^.-:%d+: ", "") end
    local t, up = {}, nil
    try(function() local x = t.a.b end)
    try(function() t.x.y.z = 1 end)
    try(function() return t .. "x" end)
    try(function() return 1 < "x" end)
    try(function() return up + 1 end)
    try(function() return #nil end)
    try(function() t:nothing() end)
    try(function() for i = 1, "x" do end end)
    try(function() for i = 1, 10, 0 do end end)
    try(function() return 1 // 0 end)
    try(function() return 2 ^ 53 | 1.5 end)
    try(function() local a <close> = 5 end)
    try(function() error(setmetatable({}, {__tostring = function() local s = "tos" return s .. "tring" end})) end)
    local function handler(m) local x = {m} return "handled " .. tostring(x[1]):gsub("^.-:%d+: ", "") end
    r[#r + 1] = select(2, xpcall(function() local a = 1 error("e" .. a, 0) end, handler))
    r[#r + 1] = select(2, xpcall(function(...) local a, b = ... return a + b end, handler, 1, 2))
    r[#r + 1] = tostring(select(2, pcall(pcall, error, "x")))
    return table.concat(r, "; ")
end)

case("library callbacks", function()
    local t = {5, 2, 8, 1, 9, 3}
    table.sort(t, function(a, b) local x, y = a, b return x > y end)
    local s = ("hello world"):gsub("%a+", function(w) local u = w:upper() return u .. #w end)
    local u = setmetatable({}, {__index = function(_, i) local j = i return j <= 3 and j * 2 or nil end})
    local boxes = {box(3), box(1), box(2)}
    table.sort(boxes)
    local l = load(function() local x = table.remove(t) return x and " " or nil end)
    return t, s, u[1] + u[2], un(boxes[1]), un(boxes[3]), tostring(setmetatable({}, {__tostring = function() local z = "Z" return z end})),
        load("local a, b = ... return a * b")(6, 7), require == nil
end)

case("finalizers", function()
    local n = 0
    local function make() return setmetatable({}, {__gc = function(o) local a, b = 1, 2 n = n + a * b end}) end
    local keep = 0
    for i = 1, 60 do
        local o = make()
        o = nil
        local t = {i, {i}, make() ~= nil}
        local f = function() return i + #t end
        keep = keep + f() + #(i .. "x" .. i)
        if i % 20 == 0 then collectgarbage() end
    end
    collectgarbage()
    return keep, n
end)

case("many registers", function()
    local a1, a2, a3, a4, a5, a6, a7, a8, a9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local b1, b2, b3, b4, b5, b6, b7, b8, b9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local c1, c2, c3, c4, c5, c6, c7, c8, c9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local d1, d2, d3, d4, d5, d6, d7, d8, d9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local e1, e2, e3, e4, e5, e6, e7, e8, e9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local f1, f2, f3, f4, f5, f6, f7, f8, f9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local g1, g2, g3, g4, g5, g6, g7, g8, g9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local h1, h2, h3, h4, h5, h6, h7, h8, h9 = 1, 2, 3, 4, 5, 6, 7, 8, 9
    local r = {}
    for i = 1, 3 do
        local x <close> = closer("x" .. i)
        local y = function() g9 = g9 + i; h9 = h9 + g9; return h9 end
        r[#r + 1] = y() .. a1 .. b2 .. c3 .. d4 .. e5 .. f6 .. g7 .. h8
        for j = i, 3 do
            local z = {j, y(), j * 2, {y(), j}}
            r[#r + 1] = z[2] + z[4][1] + z[4][2]
            if j == 2 then break end
        end
    end
    return r, a9 + b9 + c9 + d9 + e9 + f9 + g9 + h9
end)
