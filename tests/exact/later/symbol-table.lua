-- Needs S, L, G: names that are generated, scopes that are opened and emptied, tables that are used again.
local free, scopes, counter, hash = {}, {}, 0, 0
local function fresh(prefix)
    counter = counter + 1
    return prefix .. counter
end
local function open() scopes[#scopes + 1] = table.remove(free) or {} end
local function close()
    local scope = table.remove(scopes)
    for name, symbol in pairs(scope) do
        hash = (hash * 31 + symbol.number + #name) & 0xFFFFFFFF
        scope[name] = nil
    end
    free[#free + 1] = scope
end
local function define(name)
    local scope = scopes[#scopes]
    scope[name] = { number = counter, depth = #scopes }
end
local function find(name)
    for i = #scopes, 1, -1 do
        if scopes[i][name] then return scopes[i][name] end
    end
end
for unit = 1, 60 do
    counter = unit % 3 == 0 and 0 or counter -- the names begin again
    open()
    for i = 1, 12 do define("g" .. i * unit % 31) end
    for f = 1, 8 do
        open()
        for _ = 1, 10 do define(fresh("local")) end
        define("g" .. f)
        for b = 1, 3 do
            open()
            for _ = 1, b * 2 do define(fresh("tmp")) end
            local symbol = find("g" .. f)
            hash = (hash + symbol.number * symbol.depth) & 0xFFFFFFFF
            close()
        end
        close()
    end
    local names = {}
    for name in pairs(scopes[1]) do names[#names + 1] = name end
    close()
    print(unit, counter, #free, hash, table.concat(names, " "))
end
