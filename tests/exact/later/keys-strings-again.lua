-- Needs S, L, G: keys are removed, the collector runs, or does not, and the same keys are set again.
local function order(t)
    local list = {}
    for k in pairs(t) do list[#list + 1] = k end
    return table.concat(list, " ")
end
local tables = {}
for number = 1, 30 do
    local t = {}
    for i = 1, 10 + number do t["x" .. i * number] = i end
    tables[number] = t
end
for round = 1, 15 do
    for number, t in ipairs(tables) do
        for i = 1, 10 + number do
            if (i + round) % 3 == 0 then t["x" .. i * number] = nil end
        end
    end
    if round % 3 == 0 then collectgarbage() end
    local garbage = {}
    for i = 1, 500 do garbage[i] = { "y" .. i * round } end
    for number, t in ipairs(tables) do
        for i = 10 + number, 1, -1 do
            if (i + round) % 3 == 0 then t["x" .. i * number] = -i end
        end
        t["new" .. round] = round
    end
    print(round, order(tables[round]))
    print(order(tables[31 - round]))
end
