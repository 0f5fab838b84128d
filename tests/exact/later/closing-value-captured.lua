-- Needs G in 5.4.4: a closing value, a closure in the body, and a break: Lua 5.4.4 compiles the exit of such a loop in
-- a way of its own.
local log = {}
local function say(...) log[#log + 1] = table.concat({ ... }, " ") end
local function iterate(name, n)
    local closer = setmetatable({}, {
        __close = function(_, e) say("close", name, tostring(e)) end,
    })
    return function(_, i) if i < n then return i + 1 end end, nil, 0, closer
end
local kept = {}
for round = 1, 12 do
    for i in iterate("captured" .. round, 9) do
        kept[#kept + 1] = function() i = i + 1 return i end
        if i == round % 8 + 1 then break end
    end
    local after = round * 100
    kept[#kept + 1] = function() after = after + 1 return after end
end
for _, f in ipairs(kept) do say(f(), f()) end
for i, line in ipairs(log) do print(i, line) end
