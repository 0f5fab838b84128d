-- Needs Z, L: functions as keys; each is called in the order of the table, and some take themselves out.
local handlers, log, total = {}, {}, 0
local function listen(name, lives)
    local self
    self = function(event)
        lives = lives - 1
        if lives <= 0 then handlers[self] = nil end
        total = (total * 7 + event + #name) % 1000003
        if #log < 200 then log[#log + 1] = name .. lives end
        return lives
    end
    handlers[self] = name
    return self
end
local function fire(event)
    local order = {}
    for f, name in pairs(handlers) do
        order[#order + 1] = name
        f(event)
    end
    return order
end
for i = 1, 40 do listen("first" .. i, i + 10) end
for event = 1, 120 do
    local order = fire(event)
    for i = 1, event % 3 do listen("e" .. event .. "." .. i, event % 17 + 5) end
    print(event, #order, total, order[1], order[#order])
end
print(table.concat(log, " "))
