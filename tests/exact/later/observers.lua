-- Needs Z, L, G: subjects know their observers by weak keys; which are told, and in which order.
local Subject = {}
Subject.__index = Subject
local told = {}
local function subject(name)
    return setmetatable({ name = name, observers = setmetatable({}, { __mode = "k" }) }, Subject)
end
function Subject:tell(event)
    local n = 0
    for observer, method in pairs(self.observers) do
        n = n + 1
        observer[method](observer, self, event)
    end
    return n
end
local methods = {
    add = function(o, s, e) o.sum = (o.sum + e * #s.name) % 9973 told[#told + 1] = o.name end,
    drop = function(o, s, e) o.sum = o.sum + 1 if o.sum > e % 7 then s.observers[o] = nil end end,
}
local subjects, observers = {}, {}
for i = 1, 6 do subjects[i] = subject("subject" .. i) end
for event = 1, 150 do
    for i = 1, 4 do
        local o = setmetatable({ name = event * 10 + i, sum = 0 }, { __index = methods })
        observers[(event * i) % 50 + 1] = o
        for s = 1, 6 do
            if (event + s) % i == 0 then subjects[s].observers[o] = i % 3 == 0 and "drop" or "add" end
        end
    end
    local n = 0
    for _, s in ipairs(subjects) do n = n + s:tell(event) end
    if event % 10 == 0 then
        collectgarbage()
        print(event, n, #told, table.concat(told, " ", math.max(1, #told - 12)))
        told = {}
    end
end
