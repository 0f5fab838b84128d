-- __index: functions, tables, chains of both; by field, integer, register, method, upvalue.
local log = {}
local base = { inherited = "base", [1] = "one", [300] = "three hundred" }
function base:hello(n) return "hello " .. self.name .. n end
local mid = setmetatable({ name = "mid" }, { __index = base })
local function compute(t, k)
    log[#log + 1] = tostring(k)
    if type(k) == "number" then return k * 2 end
    return mid[k] or "no " .. tostring(k), "dropped"
end
local o = setmetatable({ name = "o" }, { __index = compute })
local chain = o
for _ = 1, 5 do chain = setmetatable({}, { __index = chain }) end
for i = 1, 12 do
    local key, num, flt = "k" .. i, i, i + 0.5
    print(o.name, o.inherited, o.other, o[1], o[200], o[300], o[key], o[num], o[flt], o[true])
    print(o:hello(i), chain.name, chain.missing, chain[i], chain:hello(i), chain[-i])
    local a, b, c = o.x, chain.y, mid.inherited
    local t = { o.p, o.q, [o.r] = o.s, chain[i + 1], n = o[i] }
    print(a, b, c, t[1], t[2], t[3], t.n, t["no r"])
end
print(#log)
-- a global table with __index, through _ENV as an upvalue and as a local
setmetatable(_G, { __index = function(_, k) return "global " .. k end })
local function up() return undefined1, undefined2 .. "!" end
print(up(), undefined3)
do
    local _ENV = setmetatable({}, { __index = function(_, k) return function(...) return k, ... end end })
    local x, y = f(1), g(h(2))
    kept = x
    result = y
    kept2 = kept
    local r = { result, kept2 }
    out = r[1] .. r[2]
    last = other(out)
end
setmetatable(_G, nil)
-- on strings and numbers
local smt = getmetatable("")
local old = smt.__index
smt.__index = function(s, k) if type(k) == "number" then return old.sub(s, k, k) end return old[k] end
local word = "metamethod"
for i = 1, #word do io.write(word[i], word:upper()[i], (word)[-i]) end
print()
smt.__index = old
debug.setmetatable(0, { __index = { double = function(n) return n * 2 end, half = function(n) return n / 2 end } })
local n = 21
print(n:double(), n:half(), (5):double():double(), n.nothing)
for i = 1, 5 do n = n:double() % 1001 io.write(n, " ") end
print()
debug.setmetatable(0, nil)
