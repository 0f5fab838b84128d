-- Multiple results: passed on, cut by parentheses, in the middle of lists, by table constructors.
local function count(n)
    if n == 0 then return end
    return n, count(n - 1)
end
local function pass(...) return ... end
local function both(f, ...) return f(...), f(...) end

for i = 0, 12 do
    print(i, count(i))
    print("pass", pass(count(i)))
    print("cut", (count(i)), (pass(count(i))))
    print("both", both(count, i))
    print("n", select("#", count(i)), select("#", both(count, i)), #{ count(i) }, #{ count(i), 0 })
end

local function minmax(t)
    local lo, hi = math.huge, -math.huge
    for _, v in ipairs(t) do lo, hi = math.min(lo, v), math.max(hi, v) end
    return lo, hi, #t
end
for i = 1, 10 do
    local lo, hi, n = minmax { i * 7 % 11, i * 5 % 13, i * 3 % 17, count(i % 4) }
    print(lo, hi, n, minmax { count(i) })
end

local first, second, rest = count(2)
print(first, second, rest)
first, second, rest = pass(1, count(5))
print(first, second, rest)
