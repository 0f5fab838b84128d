-- Values at the edges: integers, floats, NaN, -0.0, infinities, strings with zeros, as values and keys.
local nan, inf = 0 / 0, 1 / 0
local max, min = math.maxinteger, math.mininteger
local list = { 0, -0.0, 1, 1.0, -1, 2 ^ 53, 2 ^ 53 + 1, max, min, max + 0.0, inf, -inf, nan, 0.1, 1e308, 5e-324, 2 ^ -1074,
    "0", "a\0b", "", "\0", true, false }
local function show(v)
    if v ~= v then return "nan" end
    if math.type(v) == "float" then return string.format("%a", v) end
    return string.format("%q", v):gsub("%c", "?"):gsub("\\", "/") .. ""
end
local held = nan
for i, v in ipairs(list) do
    local copy, t = v, { v, x = v }
    local function get() return copy end
    print(i, show(v), math.type(v), get() == v, t.x == t[1], rawequal(v, t.x), show(get()))
    if type(v) == "number" then
        print(show(v + 1), show(-v), show(v * 2), show(v // 3), show(v % 3), show(1 / v), v < 1, v == 1, math.tointeger(v))
    end
    if v == v then
        local keys = { [v] = i }
        keys[v] = (keys[v] or 0) + 1
        print(keys[v], keys[1], keys[0], keys["0"], next(keys) == v)
    end
end
print(held ~= held, held == held, held < held, not (held >= held), show(held), math.type(held))
print(max + 1 == min, min - 1 == max, max * 2, min * min, min // -1, min % -1, -min == min, max // 1 | 0)
print(1 == 1.0, math.type(1), math.type(1.0), "1" == 1, 0 == -0.0, 1 / 0 > 0, 1 / -0.0 < 0)
local zero = -0.0
for i = 1, 5 do
    zero = zero * 1
    local z = { zero, [1.0] = nil }
    io.write(1 / zero, " ", show(zero), " ", #z, " ")
end
print()
local s = "start\0"
for i = 1, 10 do s = s .. string.char(i - 1, 255 - i) end
print(#s, s:byte(-4, -1), ({ [s] = "found" })[s .. ""], s == s:reverse():reverse(), s < s .. "\0")
local t = {}
for i = 1, 5 do t[i + 0.0], t[2 ^ i], t[i * 0.5] = i, i, i end
local n = 0
for k in pairs(t) do n = n + (math.type(k) == "integer" and 1 or 100) end
print(n, t[1], t[2], t[4], t[8], t[0.5], t[1.5])
for i = max - 2, max do io.write(i, " ", i + 0.0 == i and "eq" or "ne", " ", i < 2 ^ 63 and "lt" or "ge", " ") end
print(max < max + 0.0, max + 0.0 == 2 ^ 63, min + 0.0 == min, min <= -2 ^ 63)
