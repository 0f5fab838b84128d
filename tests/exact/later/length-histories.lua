-- Needs L: the border of tables with holes, after random histories; the operator itself moves it.
local seed = 2024
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local operations = {
    function(t) t[#t + 1] = 1 end,
    function(t) t[#t] = nil end,
    function(t) t[random(40)] = nil end,
    function(t) t[random(60)] = 2 end,
    function(t) for i = 20, 30 do t[i] = nil end end,
    function(t) for i = random(30), 45 do t[i] = i end end,
    function(t) t["k" .. random(9)] = 3 end,
    function(t) t[random(500) * 3] = 4 end,
    function(t) if #t > 3 then table.remove(t, 2) end end,
    function(t) table.insert(t, 5) end,
    function(t) return select("#", table.unpack(t)) end,
}
local all, lengths = {}, {}
for number = 1, 30 do all[number] = number % 3 == 0 and { 1, nil, 3, nil, nil, 6 } or {} end
for step = 1, 400 do
    local sum = 0
    for _, t in ipairs(all) do
        operations[random(#operations)](t)
        if random(2) == 1 then sum = sum + #t end
    end
    lengths[#lengths + 1] = sum
    if step % 20 == 0 then
        for i = 1, 12 do lengths[#lengths + 1] = #all[i] end
        print(step, table.concat(lengths, " "))
        lengths = {}
    end
end
