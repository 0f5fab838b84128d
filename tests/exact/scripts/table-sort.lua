-- table.sort with and without comparator, errors in it, a merge sort in Lua beside it.
local seed = 17
local function random(n)
    seed = (seed * 1103515245 + 12345) % 2147483648
    return seed // 65536 % n
end
local function fill(n, m) local t = {} for i = 1, n do t[i] = random(m) end return t end
local function merge_sort(t, less)
    if #t < 2 then return t end
    local a, b, r = {}, {}, {}
    for i = 1, #t do if i <= #t // 2 then a[#a + 1] = t[i] else b[#b + 1] = t[i] end end
    a, b = merge_sort(a, less), merge_sort(b, less)
    local i, j = 1, 1
    while i <= #a or j <= #b do
        if j > #b or i <= #a and not less(b[j], a[i]) then
            r[#r + 1] = a[i]
            i = i + 1
        else
            r[#r + 1] = b[j]
            j = j + 1
        end
    end
    return r
end
local calls = 0
local function less(a, b) calls = calls + 1 return a < b end
local function more(a, b) calls = calls + 1 return a > b end
for _, n in ipairs { 0, 1, 2, 5, 20, 40 } do
    local t = fill(n, 100)
    print(n, table.concat(merge_sort(t, less), " "))
    table.sort(t, more)
    print(n, table.concat(t, " "))
    table.sort(t)
    print(table.concat(t, " ") == table.concat(merge_sort(t, less), " "), calls > n)
end
local people = {}
for i = 1, 15 do people[i] = { name = "p" .. random(50), age = random(5), n = i } end
table.sort(people, function(a, b)
    if a.age ~= b.age then return a.age < b.age end
    if a.name ~= b.name then return a.name < b.name end
    return a.n < b.n
end)
for _, p in ipairs(people) do io.write(p.age, p.name, "#", p.n, " ") end
print()
print(pcall(table.sort, { 3, 1, "x" }))
print(pcall(table.sort, { 1, 2, 3, 4 }, function() error("comparator", 0) end))
print(pcall(table.sort, { 1, 2, 3, 4, 5, 6 }, function() return true end))
local words = { "pear", "apple", "Fig", "fig", "banana", "" }
table.sort(words)
print(table.concat(words, ","))
