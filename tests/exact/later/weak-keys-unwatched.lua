-- Needs G, Z: when does the collector come by itself? The number of weak entries tells, all the time.
local notes = setmetatable({}, { __mode = "k" })
local live, lines = {}, {}
local function count()
    local n = 0
    for _ in pairs(notes) do n = n + 1 end
    return n
end
for round = 1, 240 do
    for i = 1, 60 do
        local o = { round, tostring(i) }
        notes[o] = { i }
        if i == round % 60 + 1 then live[round % 40 + 1] = o end
    end
    lines[#lines + 1] = count()
    if round % 20 == 0 then
        print(round, table.concat(lines, " "))
        lines = {}
    end
end
