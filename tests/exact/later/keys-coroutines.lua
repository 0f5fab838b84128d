-- Needs Z, L, G: a set of coroutines is a scheduler; the order of the set is the order of their turns.
local ready, finished, clock = {}, 0, 0
local function spawn(name, turns)
    local co = coroutine.create(function(first)
        local sum = first
        for i = 1, turns do sum = (sum * 3 + coroutine.yield(i)) % 10007 end
        return sum
    end)
    ready[co] = name
end
for i = 1, 30 do spawn("task" .. i, 10 + i * 7 % 23) end
local trace = {}
while next(ready) do
    clock = clock + 1
    for co, name in pairs(ready) do
        local _, value = coroutine.resume(co, clock)
        if coroutine.status(co) == "dead" then
            ready[co] = nil
            finished = finished + 1
            trace[#trace + 1] = ("%s:%d@%d"):format(name, value, clock)
        end
    end
    if clock % 3 == 0 and clock < 240 then spawn("late" .. clock, clock % 19 + 3) end
    if clock % 10 == 0 then
        print(clock, finished, table.concat(trace, " "))
        trace = {}
    end
end
print(clock, finished, table.concat(trace, " "))
