-- Needs G: finalizers run when the collector comes by itself; each tells the step at which it ran.
local step, log, total = 0, {}, 0
local mt = { __gc = function(o)
    total = total + 1
    if o.made % 50 == 0 then log[#log + 1] = o.made .. "@" .. step end
end }
local ring = {}
for i = 1, 16000 do
    step = i
    local o = setmetatable({ made = i, data = { i, tostring(i) } }, mt)
    ring[i % 97 + 1] = o
    if i % 800 == 0 then
        print(i, total, table.concat(log, " "))
        log = {}
    end
end
ring = nil
collectgarbage()
print(total)
mt.__gc = nil
