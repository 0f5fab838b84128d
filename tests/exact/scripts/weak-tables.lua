-- Weak tables whose keys and values are strongly held elsewhere; caches, sets, metadata.
local strong, weakk, weakv = {}, setmetatable({}, { __mode = "k" }), setmetatable({}, { __mode = "v" })
local function make(i) return { id = i, get = function(d) i = i + d return i end } end
for i = 1, 30 do
    local o = make(i)
    strong[i] = o
    weakk[o] = i * i
    weakv["n" .. i] = o
    weakk[o.get] = o
    weakv[i] = "string " .. i
    weakv[i + 0.5] = i
end
local function check(round)
    local sum = 0
    for i = 1, 30 do
        local o = strong[i]
        assert(weakv["n" .. i] == o and weakk[o.get] == o)
        sum = sum + weakk[o] + weakk[o.get].get(1) + #weakv[i] + weakv[i + 0.5]
    end
    print(round, sum, getmetatable(weakk).__mode, getmetatable(weakv).__mode)
end
check(1)
check(2)
collectgarbage()
check(3)
local private = setmetatable({}, { __mode = "k" })
local account = {}
account.__index = account
function account.new(n) local o = setmetatable({}, account) private[o] = { balance = n, history = {} } return o end
function account:add(n)
    local p = private[self]
    p.balance = p.balance + n
    p.history[#p.history + 1] = n
    return self
end
function account:show() return private[self].balance .. " " .. table.concat(private[self].history, "+") end
local list = {}
for i = 1, 6 do list[i] = account.new(i * 100) end
for i = 1, 40 do list[i % 6 + 1]:add(i):add(-i // 2) end
for i = 1, 6 do print(list[i]:show()) end
local n = 0
for o in pairs(private) do
    for i = 1, 6 do if o == list[i] then n = n + 1 end end
end
print(n)
