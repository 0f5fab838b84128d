-- goto in nested loops with closures: every jump leaves blocks whose locals are captured.
local kept = {}
local function keep(f) kept[#kept + 1] = f end
for i = 1, 6 do
    local a = i * 10
    for j = 1, 6 do
        local b = a + j
        keep(function() b = b + a return b end)
        if (i + j) % 4 == 0 then goto next_i end
        do
            local c = b * 2
            keep(function() c = c - 1 a = a + 1 return c end)
            if j == i then goto next_j end
            local d = c
            keep(function() d = d + c return d end)
        end
        ::next_j::
    end
    ::next_i::
end
local s = 0
for round = 1, 2 do
    for n, f in ipairs(kept) do s = (s * 7 + f() * n) % 1000003 end
    print(round, #kept, s)
end
-- backwards: the label is before the locals
local tries, results = 0, {}
do
    local total = 0
    ::again::
    local mine = tries
    local function add(n) mine = mine + n total = total + mine return mine end
    results[#results + 1] = add
    tries = tries + 1
    if tries < 5 then goto again end
    do
        local inner = total
        results[#results + 1] = function(n) inner = inner + n return inner + total end
        if tries < 10 then goto again end
    end
end
for n, f in ipairs(results) do io.write(n, ":", f(1), ",", f(n), " ") end
print()
while true do
    local x = #results
    results[#results] = nil
    if x > 5 then
        local f = function() x = x - 1 return x end
        f()
        if x % 2 == 0 then goto continue end
        keep(f)
    else
        goto done
    end
    io.write(x, " ")
    ::continue::
end
::done::
print(kept[#kept](), kept[#kept](), #results)
