-- Needs S, L: the order of the globals, of the libraries and of package.loaded, as the script changes them.
local function names(t, limit)
    local list = {}
    for k in pairs(t) do
        list[#list + 1] = tostring(k)
        if #list == limit then break end
    end
    return table.concat(list, " ")
end
local strings, maths = package.loaded.string, package.loaded.math
local known = {}
for k in pairs(_G) do if type(_G[k]) == "function" then known[k] = true end end
for round = 1, 60 do
    _G["global" .. round] = round
    if round > 20 then _G["global" .. round - 20] = nil end
    strings["extra" .. round % 7] = round
    maths["constant" .. round] = round
    package.loaded["module" .. round] = { round }
    if round % 9 == 0 then package.loaded["module" .. round - 5] = nil end
    local mine = {}
    for k, v in pairs(_G) do if type(v) == "number" then mine[#mine + 1] = k end end
    print(round, table.concat(mine, " "))
    if round % 15 == 0 then
        print(names(strings, 30))
        print(names(maths, 40))
    end
end
for round = 1, 60 do maths["constant" .. round] = nil end
maths.again = 1
print(names(maths, 40))
