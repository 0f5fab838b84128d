-- Needs G: an object that is made again by its own finalizer counts the cycles of the collector.
local cycles, at, step = 0, {}, 0
local function sentinel()
    setmetatable({}, { __gc = function()
        cycles = cycles + 1
        at[#at + 1] = step
        sentinel()
    end })
end
sentinel()
local live, waste = {}, nil
for i = 1, 120000 do
    step = i
    waste = { i, waste and waste[1] }
    if i % 100 == 0 then live[i // 100 % 300 + 1] = { waste } end
    if i % 6000 == 0 then
        print(i, cycles, table.concat(at, " "))
        at = {}
    end
end
collectgarbage("stop")
os.exit(0)
