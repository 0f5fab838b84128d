-- Finalizers run in the reverse order of marking, and at the end.
local log = {}
local mt = { __gc = function(o) log[#log + 1] = o.name end }
local function flush(what)
    print(what, #log, table.concat(log, " "))
    log = {}
end
collectgarbage("stop")
local groups = {}
for g = 1, 20 do
    groups[g] = {}
    for i = 1, 20 do groups[g][i] = { name = g .. "." .. i } end
    for i = 1, 20 do setmetatable(groups[g][i * 7 % 20 + 1], mt) end
end
for round = 1, 20 do
    local keep = groups[round * 3 % 20 + 1]
    groups[round * 3 % 20 + 1] = { keep[1], keep[5] }
    local late = { name = "late" .. round }
    setmetatable(late, {})
    getmetatable(late).__gc = mt.__gc
    setmetatable({ name = "passing" .. round, other = { keep[2], late } }, mt)
    keep, late = nil, nil
    collectgarbage()
    flush("round " .. round)
end
for g = 1, 20, 2 do groups[g] = nil end
collectgarbage()
flush("half")
mt.__gc = function(o) io.write(o.name, " ") end
