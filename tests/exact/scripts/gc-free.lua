-- __gc and weak tables: finalizers are there but nothing depends on when they run.
local order = {}
local objects = {}
for i = 1, 40 do
    objects[i] = setmetatable({ n = i }, { __gc = function(o) order[#order + 1] = o.n end })
end
local weakkeys = setmetatable({}, { __mode = "k" })
local weakvalues = setmetatable({}, { __mode = "v" })
local both = setmetatable({}, { __mode = "kv" })
for i, o in ipairs(objects) do
    weakkeys[o] = i * 2
    weakvalues[i] = o
    both[o] = o
end
for round = 1, 6 do
    local sum, count = 0, 0
    for _, v in pairs(weakkeys) do sum = sum + v end
    for i, o in pairs(weakvalues) do count = count + (o.n == i and 1 or 100) end
    for k, v in pairs(both) do if k ~= v then count = -1 end end
    local junk = {}
    for i = 1, 20 do junk[i] = { round, i } end
    print(round, sum, count, #junk, #order)
    for i = round, #objects, 7 do weakkeys[objects[i]] = weakkeys[objects[i]] + 1 end
    if round % 2 == 0 then collectgarbage() end
end
-- an ephemeron whose value holds its key; resurrected by nobody, held by the list
local memo = setmetatable({}, { __mode = "k" })
local function describe(o)
    local d = memo[o]
    if not d then
        d = { of = o, text = "object " .. o.n }
        memo[o] = d
    end
    return d.text
end
for i = 1, 40, 3 do io.write(describe(objects[i]), describe(objects[i]):len(), " ") end
print(#order, collectgarbage("isrunning"), collectgarbage("step") ~= nil)
for i = 1, #objects do setmetatable(objects[i], nil) end
