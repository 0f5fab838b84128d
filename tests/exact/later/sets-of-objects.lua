-- Needs Z, L: unions, intersections and differences of sets of objects, printed in their order.
local Set = {}
Set.__index = Set
function Set.of(list)
    local s = setmetatable({}, Set)
    for _, v in ipairs(list) do s[v] = true end
    return s
end
function Set.__add(a, b)
    local s = setmetatable({}, Set)
    for v in pairs(a) do s[v] = true end
    for v in pairs(b) do s[v] = true end
    return s
end
function Set.__mul(a, b)
    local s = setmetatable({}, Set)
    for v in pairs(a) do if b[v] then s[v] = true end end
    return s
end
function Set.__sub(a, b)
    local s = setmetatable({}, Set)
    for v in pairs(a) do if not b[v] then s[v] = true end end
    return s
end
function Set.__tostring(s)
    local list = {}
    for v in pairs(s) do list[#list + 1] = v.name end
    return "{" .. table.concat(list, " ") .. "}"
end
local objects = {}
for i = 1, 60 do objects[i] = { name = i } end
local function some(a, b)
    local list = {}
    for i = 1, 60 do if i * a % b < b // 2 then list[#list + 1] = objects[i] end end
    return Set.of(list)
end
for round = 1, 40 do
    local a, b, c = some(round, 11), some(round + 3, 13), some(round * 2, 7)
    print(round, tostring(a * b), tostring(a - b - c), tostring((a + b) * c))
    objects[round] = { name = round + 100 }
end
