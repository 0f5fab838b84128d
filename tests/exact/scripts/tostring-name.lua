-- Metamethods that C functions call: __tostring, __name, __metatable, __lt in sort, __index in concat.
local depth = 0
local mt = { __metatable = "locked" }
function mt.__tostring(o)
    depth = depth + 1
    local s = "<" .. o.name
    for i = 1, #o do s = s .. " " .. tostring(o[i]) end
    depth = depth - 1
    return s .. ":" .. depth .. ">"
end
function mt.__lt(a, b) return a.name < b.name end
local function new(name, ...) return setmetatable({ name = name, ... }, mt) end
for i = 1, 10 do
    local tree = new("root" .. i, new("left", i, new("deep", i * 2)), "text", new("right"))
    print(tree, tostring(tree):len(), getmetatable(tree), pcall(setmetatable, tree, {}))
    print(string.format("%s|%10.5s|%s", tree, tree[1], i), #tree)
    local list = {}
    for j = 1, 8 do list[j] = new("n" .. (j * i * 7) % 10, j) end
    table.sort(list)
    local names = {}
    for j = 1, 8 do names[j] = list[j].name end
    print(table.concat(names, " "))
end
print(pcall(tostring, setmetatable({}, { __tostring = function() return 5 end })))
print(pcall(print, setmetatable({}, { __tostring = function() error("in tostring", 0) end })))
print((tostring(setmetatable({}, { __name = "my type" })):gsub("0x%x+", "ADDRESS")))
print(pcall(function() return setmetatable({}, { __name = "my type" }) + 1 end))
print(pcall(ipairs), pcall(string.rep, setmetatable({}, { __name = "my type" })))
local lazy = setmetatable({}, { __index = function(_, i) return "i" .. i end, __len = function() return 9 end })
print(table.concat(lazy, ","), table.unpack(lazy, 2, 4), select("#", table.unpack(lazy)))
