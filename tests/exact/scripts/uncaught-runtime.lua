-- An uncaught error of the virtual machine, deep in metamethods and iterators, after much work.
local account = {}
account.__index = account
account.__add = function(a, n)
    a.total = a.total + n
    if a.total > 1500 then return a.missing.field end
    return a
end
local function each(n)
    return function(_, i) if i < n then return i + 1 end end, nil, 0
end
local a = setmetatable({ total = 0 }, account)
local function feed(n)
    for i in each(n) do
        a = a + i
        if i % 20 == 0 then print(i, a.total) end
    end
end
for round = 1, 3 do
    print("round", round)
    feed(round * 30)
end
