-- Upvalues shared between closures, open while the frame lives, closed after, upvalues of upvalues.
local function counter(start)
    local n = start
    local function up() n = n + 1 return n end
    local function down() n = n - 1 return n end
    local function get() return n end
    n = n * 2
    up()
    return up, down, get, function(f) n = f(n) return n end
end
local up, down, get, apply = counter(5)
local up2, _, get2 = counter(50)
for i = 1, 20 do
    up()
    if i % 3 == 0 then down() end
    up2()
    if i % 7 == 0 then apply(function(n) return n + get2() end) end
    io.write(get(), "/", get2(), " ")
end
print()
local function level1(a)
    local b = a + 1
    return function(c)
        local d = b + c
        b = b + 1
        return function(e)
            d = d + a
            local function deepest() a = a + 1 return a + b + c + d + e end
            return deepest
        end
    end
end
local l2 = level1(1)
local l3, l3b = l2(10), l2(20)
local d1, d2, d3 = l3(100), l3(200), l3b(300)
for _ = 1, 12 do print(d1(), d2(), d3(), l3(5)()) end
-- open upvalues read and written by inner function and frame in turn
local function both(n)
    local x, trace = 0, {}
    local function inner(k) x = x + k trace[#trace + 1] = x end
    for i = 1, n do
        x = x * 2
        inner(i)
        x = x - 1
        trace[#trace + 1] = x
    end
    return table.concat(trace, " ")
end
print(both(12))
-- a recursive local function and its siblings
local function even(n) return n == 0 end
local function odd(n) if n == 0 then return false end return even(n - 1) end
function even(n) if n == 0 then return true end return odd(n - 1) end
for i = 0, 20 do io.write(tostring(even(i)), " ") end
print()
print(debug.getupvalue(up, 1), (debug.getupvalue(d1, 1)))
