-- Needs S, L: of what may come next, the one that pairs gives first is taken.
local function sort(after)
    local waiting, order = {}, {}
    for name, list in pairs(after) do
        waiting[name] = waiting[name] or 0
        for _, other in ipairs(list) do waiting[other] = (waiting[other] or 0) + 1 end
    end
    while next(waiting) do
        local ready
        for name, n in pairs(waiting) do
            if n == 0 then
                ready = name
                break
            end
        end
        if not ready then return order, "a cycle" end
        waiting[ready] = nil
        order[#order + 1] = ready
        for _, other in ipairs(after[ready] or {}) do waiting[other] = waiting[other] - 1 end
    end
    return order
end
for round = 1, 60 do
    local after = {}
    for i = 1, 40 do
        local list = {}
        for j = 1, i % 4 do list[j] = "n" .. (i + j * round % 13 + 1) % 61 .. "r" .. round % 5 end
        after["n" .. i .. "r" .. round % 5] = list
    end
    if round % 2 == 0 then for _, list in pairs(after) do table.remove(list) end end
    local order, problem = sort(after)
    print(round, #order, problem, table.concat(order, " ", 1, math.min(#order, 12)))
end
