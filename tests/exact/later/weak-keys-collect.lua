-- Needs G for what the order shows, Z for the order: weak keys, watched behind full collections.
local notes, names = setmetatable({}, { __mode = "k" }), {}
local live = {}
local function count(t)
    local n = 0
    for _ in pairs(t) do n = n + 1 end
    return n
end
for round = 1, 40 do
    for i = 1, 50 do
        local o = { round, i }
        notes[o] = "note " .. round .. "." .. i
        if (i * round) % 9 == 0 then live[#live + 1] = o end
    end
    local before = count(notes)
    if round % 4 == 0 then
        collectgarbage()
        for i = #live, 1, -5 do table.remove(live, i) end
    end
    print(round, #live, before > #live, round % 4 == 0 and count(notes))
end
live[1] = nil
collectgarbage()
for _, note in pairs(notes) do names[#names + 1] = note end
print(count(notes), table.concat(names, ", "))
