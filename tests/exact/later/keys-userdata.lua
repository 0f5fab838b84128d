-- Needs Z, L: userdata (open files) as keys, beside tables and functions.
local name, set, count = arg[0], {}, 0
local function open()
    local file = assert(io.open(name))
    count = count + 1
    set[file] = count
    return file
end
local kept = {}
for i = 1, 25 do kept[i] = open() end
for round = 1, 60 do
    local order = {}
    for file, number in pairs(set) do
        if io.type(file) == "file" then
            file:seek("set", number * round % 300)
            order[#order + 1] = number .. (file:read(1) == " " and "" or "'")
        end
    end
    print(round, table.concat(order, " "))
    local old = kept[round % #kept + 1]
    set[old] = nil
    old:close()
    kept[round % #kept + 1] = open()
    set[{}] = -round
    set[function() return round end] = round
end
for _, file in ipairs(kept) do file:close() end
