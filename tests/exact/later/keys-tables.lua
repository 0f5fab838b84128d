-- Needs Z, L: tables as keys, in the order of their addresses; objects come and go.
local mt = { __tostring = function(o) return "o" .. o.id end }
local set, list, id, hash = {}, {}, 0, 0
local function add()
    id = id + 1
    local o = setmetatable({ id = id }, mt)
    set[o] = id
    list[#list + 1] = o
end
local function digest()
    for o, i in pairs(set) do hash = (hash * 31 + o.id + i) & 0xFFFFFFFF end
    return hash
end
for _ = 1, 150 do add() end
for round = 1, 60 do
    for _ = 1, 20 do add() end
    for i = 1, 15 do
        local o = table.remove(list, (i * round * 7) % #list + 1)
        if o then set[o] = nil end
    end
    local first = next(set)
    print(round, first, next(set, first), #list, digest())
end
local names = {}
for o in pairs(set) do
    names[#names + 1] = tostring(o)
    if #names == 40 then break end
end
print(table.concat(names, " "))
