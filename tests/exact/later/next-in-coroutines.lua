-- Needs S, L: several iterators over the same tables at once, each in a coroutine of its own.
local tables = {}
for n = 1, 6 do
    tables[n] = {}
    for i = 1, 12 * n do tables[n]["t" .. n .. "_" .. i * 37 % 101] = i end
end
local function walker(t, step)
    return coroutine.wrap(function()
        for round = 1, 4 do
            local n = 0
            for k, v in pairs(t) do
                n = n + 1
                if n % step == 0 then coroutine.yield(k, v) end
                if round == 3 and v % 7 == 0 then t[k] = nil end
            end
            if round == 2 then for i = 1, 5 do t["w" .. step .. i] = i end end
        end
    end)
end
local walkers = {}
for n, t in ipairs(tables) do
    for step = 1, 4 do walkers[#walkers + 1] = { name = n .. "/" .. step, walker(t, step) } end
end
local line, turns = {}, 0
while #walkers > 0 do
    turns = turns + 1
    for i = #walkers, 1, -1 do
        local k, v = walkers[i][1]()
        if not k then
            print("end", walkers[i].name, turns)
            table.remove(walkers, i)
        elseif turns % 9 == 0 then
            line[#line + 1] = k .. "=" .. v
        end
    end
    if #line > 12 then
        print(turns, table.concat(line, " "))
        line = {}
    end
end
