-- Generic for: ipairs, next, iterators with and without state, four values with a closing one.
local function range(n)
    return function(limit, i)
        if i < limit then return i + 1, limit - i end
    end, n, 0
end
local function words(s)
    local at = 1
    return function()
        local from, to = string.find(s, "%a+", at)
        if from then
            at = to + 1
            return string.sub(s, from, to), from, to
        end
    end
end
local list = {}
for i = 1, 30 do list[i] = i * i % 17 end
local s = 0
for i, v in ipairs(list) do
    s = s * 2 % 9973 + i * v
    io.write(v, " ")
end
print(s)
for i, rest in range(15) do io.write(i, "/", rest, " ") end
print()
for i in range(20) do
    if i > 17 then break end
    for j, k in range(i) do s = (s + i * j * k) % 99991 end
end
print(s)
for w, from, to in words("the quick brown fox jumps over the lazy dog") do print(w, from, to) end
for k, v in next, { 10, 20, 30, 40 } do io.write(k, "=", v, " ") end
print()
for k, v in pairs { 5, 6, 7 } do io.write(k, "=", v, " ") end
print()
-- __pairs, and ipairs through __index
local mt = { __index = function(_, i) if i <= 8 then return i * 3 end end }
function mt.__pairs(t) return function(_, k) if not k or k < 6 then return (k or 0) + 1, t[(k or 0) + 1] end end, t end
local proxy = setmetatable({}, mt)
for i, v in ipairs(proxy) do io.write(i, "=", v, " ") end
print()
for k, v in pairs(proxy) do io.write(k, "=", v, " ") end
print()
for a, b, c, d in function(_, a) if a < 4 then return a + 1, a * 2 end end, nil, 0 do print(a, b, c, d) end
print(pcall(function() for _ in 5 do print("never") end end))
