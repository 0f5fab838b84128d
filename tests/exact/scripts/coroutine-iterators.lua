-- Iterators that yield: inside generic for, with coroutines as the for's own function.
local yield, wrap = coroutine.yield, coroutine.wrap
local function slow(n)
    return function(_, i)
        local back = yield("step", i)
        if i < n then return i + 1, back end
    end, nil, 0
end
local co = wrap(function()
    local s = 0
    for i, back in slow(5) do
        s = s + i * (back or 1)
        for j in slow(2) do s = s + j yield("inner", s) end
    end
    return "sum", s
end)
local what, v
local n = 0
repeat
    n = n + 1
    what, v = co(n)
    print(n, what, v)
until what == "sum"
-- the iterator is a wrap function, its coroutine yields through two loops
local function pairs2(a, b)
    return wrap(function()
        for i = 1, #a do
            for j = 1, #b do yield(i, j, a[i] .. b[j]) end
        end
    end)
end
for i, j, s in pairs2({ "a", "b", "c" }, { "x", "y" }) do io.write(i, j, s, " ") end
print()
-- coroutine.wrap objects as __call and __index
local t = setmetatable({}, {
    __index = wrap(function(_, k) while true do _, k = yield(k .. "!") end end),
    __call = wrap(function(_, a) while true do _, a = yield((a or 0) * 2) end end),
})
for i = 1, 8 do io.write(t["k" .. i], " ", t(i), " ") end
print()
-- __pairs that yields, an outer loop over two suspended inner loops
local m = setmetatable({}, { __pairs = function() yield("pairs") return slow(3) end })
local first, second = wrap(function() for i in pairs(m) do yield("body", i) end return "first" end),
    wrap(function() for i in pairs(m) do yield("body", -i) end return "second" end)
for i = 1, 9 do print(i, first(i)) print(second(i)) end
