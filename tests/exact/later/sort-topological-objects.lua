-- Needs Z, L: as sort-topological, with objects; the levels of a graph, each a set.
local Node = {}
Node.__index = Node
local function node(name) return setmetatable({ name = name, out = {}, into = 0 }, Node) end
function Node:before(other)
    if not self.out[other] then
        self.out[other] = true
        other.into = other.into + 1
    end
end
local function levels(nodes)
    local result, current = {}, {}
    for n in pairs(nodes) do if n.into == 0 then current[n] = true end end
    while next(current) do
        local names, following = {}, {}
        for n in pairs(current) do
            names[#names + 1] = n.name
            for other in pairs(n.out) do
                other.into = other.into - 1
                if other.into == 0 then following[other] = true end
            end
        end
        result[#result + 1] = table.concat(names, ",")
        current = following
    end
    return result
end
for round = 1, 50 do
    local list, nodes = {}, {}
    for i = 1, 50 do
        list[i] = node(i)
        nodes[list[i]] = i
    end
    for i = 1, 50 do
        for j = 1, 3 do
            local k = i + (i * j + round) % 17 + 1
            if k <= 50 then list[i]:before(list[k]) end
        end
    end
    local found = levels(nodes)
    print(round, #found, found[1], found[#found // 2 + 1])
end
