-- Tables with a history: whatever comes in any order, and what `next` and `#` say after each step.
-- The collector stands still, so that removed keys stay what they are.
collectgarbage("stop")
math.randomseed(20)
local function key()
    local n = math.random(40)
    local kind = math.random(7)
    if kind <= 2 then return n end
    if kind == 3 then return n * -7919 end
    if kind == 4 then return n / 4 + 0.125 end
    if kind == 5 then return n % 2 == 0 end
    if kind == 6 then return "k" .. n end
    return "a key that is longer than the strings of which there is only one " .. n
end

local operations = {
    function(t) t[key()] = math.random(9) end,
    function(t) t[key()] = math.random(9) end,
    function(t) t[key()] = nil end,
    function(t) t[#t + 1] = math.random(9) end,
    function(t) t[#t] = nil end,
    function(t) table.insert(t, 1, math.random(9)) end,
    function(t) if #t > 0 then table.remove(t, 1) end end,
    function(t) for i = 1, math.random(20) do t["bulk" .. i] = i end end,
    function(t) for k in pairs(t) do if math.random(3) == 1 then t[k] = nil end end end,
    function(t) for i = 1, 30 do t[i] = nil end end,
    function(t) local _ = rawlen(t) end,
}

local function digest(t)
    local sum, count = 0, 0
    for k, v in pairs(t) do
        count = count + 1
        local text = tostring(k) .. tostring(v)
        for i = 1, #text do sum = (sum * 31 + text:byte(i)) % 1000003 end
    end
    return count .. ":" .. sum
end

local tables = { {}, { 1, 2, nil, 4 }, { x = 1, y = 2 }, table.pack(nil, nil, 3) }
local pending = {} -- a walk that goes on between the steps
for step = 1, 150 do
    local i = math.random(#tables)
    local t = tables[i]
    local ok = pcall(operations[math.random(#operations)], t)
    if pending.table == nil or pending.key == nil then
        pending = { table = t, key = next(t) }
    else
        local found, following = pcall(next, pending.table, pending.key)
        if found and math.random(3) == 1 then pending.table[pending.key] = nil end
        pending.key = found and following or nil
    end
    print(step, i, ok, #t, digest(t), tostring(pending.key))
end
