-- Needs S, L: the order of pairs over string keys, the same while the table does not change.
local words = {}
for w in ("one two three four five six seven eight nine ten eleven twelve"):gmatch("%a+") do words[w] = #w end
local function list(t)
    local r = {}
    for k, v in pairs(t) do r[#r + 1] = k .. "=" .. tostring(v) end
    return table.concat(r, " ")
end
local first = list(words)
print(first)
for round = 1, 8 do
    local n = 0
    for k, v in pairs(words) do
        n = n + 1
        io.write(round, ":", k, ":", v, " ")
        for k2 in pairs(words) do if k == k2 then io.write(n, " ") end end
    end
    print(list(words) == first)
end
for k, v in next, words do words[k] = v + 1 end
print(list(words))
local mixed = { 1, 2, 3, x = 1, y = 2, [1.5] = 3, [true] = 4, [-1] = 5, z = { 1 } }
for k, v in pairs(mixed) do io.write(tostring(k), " ", type(v), " ") end
print()
local k, v
repeat
    k, v = next(words, k)
    io.write(tostring(k), "=", tostring(v), " ")
until not k
print()
