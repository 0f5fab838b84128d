-- Needs Z for C functions without upvalues, which are not in the zone: the same where the program is.
local names = {}
for _, library in ipairs { "string", "table", "math", "utf8", "coroutine", "os", "debug" } do
    local list = {}
    for name, f in pairs(_G[library]) do
        if type(f) == "function" then list[#list + 1] = name end
    end
    table.sort(list)
    for _, name in ipairs(list) do names[_G[library][name]] = library .. "." .. name end
end
local order = {}
for _, name in pairs(names) do order[#order + 1] = name end
print(#order, table.concat(order, " "))
local calls = {}
for round = 1, 400 do
    for f in pairs(names) do
        if f == math.abs or f == string.rep or f == math.type then calls[#calls + 1] = names[f]:sub(-1) end
    end
    if round % 20 == 0 then
        print(round, table.concat(calls))
        calls = {}
        names[string.byte] = nil
        names[string.byte] = "string.byte"
    end
end
