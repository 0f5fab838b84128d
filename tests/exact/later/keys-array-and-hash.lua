-- Needs S, L: one table that is now a list, now a map, now both, and shrinks by a rehash.
local function shape(t)
    local list = {}
    for k, v in pairs(t) do
        list[#list + 1] = type(k) == "string" and k or tostring(k * v // 1)
        if #list > 11 then break end
    end
    return #t .. ": " .. table.concat(list, " ")
end
local t = {}
for phase = 1, 24 do
    for i = 1, 40 * (phase % 4 + 1) do t[i] = i + phase end
    print(phase, "list", shape(t))
    for i = 1, 30 do t["f" .. i * phase % 47] = i end
    print(phase, "both", shape(t))
    for i = 200, phase, -1 do t[i] = nil end
    print(phase, "short", shape(t))
    for i = phase * 10, phase * 10 + 40, 2 do t[i] = phase end
    print(phase, "sparse", shape(t))
    for k in pairs(t) do
        if type(k) == "string" and #k % 2 == phase % 2 or k == phase * 10 then t[k] = nil end
    end
    print(phase, "less", shape(t))
    while #t > phase do table.remove(t) end
    table.insert(t, phase // 2 + 1, -1)
    print(phase, "list", shape(t))
end
