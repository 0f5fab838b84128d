-- Needs S, L: booleans, integers of both signs, floats and strings in one table, through many sizes.
local keys = { true, false }
for i = 1, 60 do
    keys[#keys + 1] = i
    keys[#keys + 1] = -i * i
    keys[#keys + 1] = i / 7
    keys[#keys + 1] = "s" .. i
    keys[#keys + 1] = 2 ^ i
    keys[#keys + 1] = math.maxinteger - i
end
local function show(t, from, to)
    local list, n = {}, 0
    for k, v in pairs(t) do
        n = n + 1
        if n >= from and n <= to then list[#list + 1] = tostring(k) .. "=" .. tostring(v) end
    end
    return table.concat(list, " ")
end
local t = {}
for round = 1, 40 do
    for i = 1, #keys, round % 5 + 1 do
        local key = keys[(i * 17 + round * 5) % #keys + 1]
        if t[key] == nil then t[key] = round elseif round % 3 == 0 then t[key] = nil end
    end
    print(round, #t, show(t, round * 3, round * 3 + 5))
end
for k in pairs(t) do
    if type(k) == "boolean" then t[k] = not k else t[k] = nil end
end
print(show(t, 1, 9))
for i = 1, 20 do t[i] = keys[i * 3] end
print(#t, show(t, 1, 30))
