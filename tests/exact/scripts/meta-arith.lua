-- Arithmetic metamethods by operand kind: two objects, object and register, constant, immediate.
local mt = {}
local function new(v) return setmetatable({ v = v }, mt) end
local function val(x) return type(x) == "table" and x.v or x end
local calls = 0
local function define(event, f)
    mt[event] = function(a, b)
        calls = calls + 1
        return new(event .. "(" .. val(a) .. "," .. val(b) .. ")" .. (f and f or "")), "dropped"
    end
end
for _, e in ipairs { "__add", "__sub", "__mul", "__div", "__mod", "__pow", "__idiv", "__unm" } do define(e) end
local function show(...) for i = 1, select("#", ...) do io.write(val((select(i, ...))), " ") end print() end
for i = 1, 6 do
    local a, b, n, f, s = new("a" .. i), new "b", i, i + 0.5, "str"
    show(a + b, a - b, a * b, a / b, a % b, a ^ b, a // b, -a)
    show(a + n, a - n, a * n, a / n, a % n, a ^ n, a // n)
    show(n + a, n - a, n * a, n / a, n % a, n ^ a, n // a)
    show(a + 1, a - 1, a * 2, a / 2, a % 2, a ^ 2, a // 2)
    show(1 + a, 1 - a, 2 * a, 2 / a, 2 % a, 2 ^ a, 2 // a)
    show(a + 1000, a - 1000, a * 1000, 1000 + a, 1000 - a, 1000 * a)
    show(a + 1.5, a - 1.5, a * 1.5, a / 1.5, a % 1.5, a ^ 1.5, a // 1.5)
    show(f + a, f - a, 1.5 * a, 1.5 / a, s + a, a - s, -(-a))
    show(a + a * b - n / b, (a + b) * (a - n) // 2, a % (b ^ (a + 1)))
    -- the result goes to a local that exists, a new one, an upvalue, a global, a field
    local r = a
    r = r + 1
    r = 1 + r
    local t = { x = a }
    t.x = t.x * b
    t[1], t[2] = a / 3, b // a
    local up = a
    local function change() up = up - b up = 2 - up end
    change()
    show(r, t.x, t[1], t[2], up)
end
print(calls)
