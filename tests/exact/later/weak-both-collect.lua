-- Needs L, Z, G: keys and values that are weak; pairs of objects, of which one, or none, is kept.
local pairs_of = setmetatable({}, { __mode = "kv" })
local kept, made = {}, 0
local function make(name)
    made = made + 1
    return { name = name .. made }
end
for round = 1, 30 do
    for i = 1, 30 do
        local a, b = make("a"), make("b")
        pairs_of[a] = b
        if i % 3 ~= 0 then kept[#kept + 1] = a end
        if i % 2 ~= 0 then kept[#kept + 1] = b end
        if i % 5 == 0 then pairs_of[i] = a end
        if i % 7 == 0 then pairs_of["s" .. i] = b end
    end
    for i = #kept, 1, -4 do table.remove(kept, i) end
    if round % 3 == 0 then
        collectgarbage()
        local list = {}
        for a, b in pairs(pairs_of) do
            list[#list + 1] = (type(a) == "table" and a.name or a) .. "-" .. b.name
        end
        print(round, #list, #kept, list[1], list[#list // 2], list[#list])
    end
end
