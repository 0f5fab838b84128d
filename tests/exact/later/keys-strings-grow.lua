-- Needs S, L: the order of string keys while tables grow through many sizes, and after each growth.
local hash, tables = 0, {}
local function note(text)
    for i = 1, #text do hash = (hash * 31 + text:byte(i)) & 0xFFFFFFFF end
end
local function name(i) return ("k%x"):format(i * 2654435761 & 0xFFFFFFFF) end
for number = 1, 24 do
    local t = {}
    tables[number] = t
    for i = 1, number * 12 do
        t[name(i * number)] = i
        if i & i - 1 == 0 then
            for k, v in pairs(t) do note(k .. v) end
        end
    end
    for k in pairs(t) do note(k) end
    print(number, next(t), hash)
end
-- all of them once more, each grown by one round of other keys
for round = 1, 12 do
    for number, t in ipairs(tables) do
        for i = 1, 6 do t["r" .. round * i .. "n" .. number] = round end
        local position = 0
        for k, v in pairs(t) do
            position = position + 1
            if position % 7 == 0 then note(k .. v) end
        end
    end
    print("round", round, hash)
end
