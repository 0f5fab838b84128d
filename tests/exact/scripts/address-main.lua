-- What the script is left with: its main function gives way to another one, and to a module's.
collectgarbage("stop")
local names = { "string", "table", "math", "io", "os", "require", "dofile", "load", "io.stdout" }
local set = {}
local function value(name)
    local v = _G
    for part in name:gmatch("[^.]+") do v = v[part] end
    return v
end
for i, name in ipairs(names) do set[value(name)] = i end
local function order()
    local list = {}
    for _, i in pairs(set) do list[#list + 1] = names[i] end
    return table.concat(list, " ")
end
local function rest()
    for round = 1, 40 do
        if round == 20 then collectgarbage() end
        local o = { round }
        set[o] = round % #names + 1
        if round % 2 == 0 then set[value(names[round % #names + 1])] = nil end
        if round % 3 == 0 then set[next(set)] = nil end
        print(round, order(), o, function() return o end)
    end
    extra = setmetatable({}, { __index = _G })
    rawset(string, "extra", extra)
    _G[set], _G[rest] = 1, 2
    for round = 1, 10 do
        _G["name" .. round], _G[{ round }] = {}, round
        local count = 0
        for k, v in pairs(_G) do if type(k) == "table" and v == round then count = count + 1 end end
        print(round, count, _G["name" .. round], #order())
    end
end
return rest()
