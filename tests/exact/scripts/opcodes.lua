-- Every instruction that stays in its function, in one short loop: any save lands on one of them.
local up, shared = 3, { 1, 2 }
local function every(i, a, ...)
    local f, g, big, s = 2.5, 1e300, 123456789, "text"
    local x, y, z, none = a, i, nil, nil
    local yes, no = true, false
    up = up + 1
    x = x + y x = x - y x = x * y x = x % 1000 x = x // 3 x = x % y
    f = x / y f = f ^ 2.0 f = y ^ 2 f = f / 3 f = (f + 1.5) % 7.5 f = f * 0.5 f = f - big f = f // 2.5
    f = f // y x = x % y f = f ^ x local h = 4.0 x = x - 100000 f = f + h
    x = x & y x = x | y x = x ~ y x = x << y x = x >> y
    x = x & 255 x = x | 16 x = x ~ 7 x = x << 2 x = 1 << x x = x >> 1 x = x & 1023 x = x | 70000 x = x ~ 70001
    x = -x x = ~x x = #s + x x = x - 5 x = x + big x = x * 3 x = x - big
    no = not yes
    local t = { x, y, k = x, ... }
    t.field = y t[1] = x t[y] = s t[s] = y
    z = t.field z = t[1] z = t[y] z = t[s]
    shared[1] = shared[1] + 1
    counted = (counted or 0) + 1
    local part = s .. x .. s .. "end"
    local kept = function() x = x + up return x end
    if x == y or x < y or x <= y then z = 1 end
    if x == 7 or x == big or s == "text" then z = z + 1 end
    if not (x < 5 or x <= 6 or x > 7) or x >= 8 then z = z + 2 end
    local b = x > y
    local c = yes and z or no
    local d = none or x < 3
    while z > 3 do
        local inner = z
        local cut = function() inner = inner - 1 return inner end
        z = cut() - 1
        if z == 2 then break end
    end
    for k = 1, 2 do z = z + k end
    for _, v in ipairs(shared) do z = z + v end
    do local close <close> = none end
    local first, count = ..., select("#", ...)
    return x, f, g, z, #part, kept(), b, c, d, first, count, #{ x, ... } > 0
end
local function tail(...) return every(...) end
for i = 1, 30 do
    print(i, tail(i, i * 3, i, nil, i + 1))
end
print(up, shared[1], counted)
