-- The fourth value of a generic for is closed at the end, at a break, a return, a goto, an error.
local log = {}
local function say(...) log[#log + 1] = table.concat({ ... }, " ") end
local function iterate(name, n)
    local closer = setmetatable({}, {
        __close = function(_, e) say("close", name, tostring(e)) end,
    })
    return function(_, i) if i < n then return i + 1 end end, nil, 0, closer
end
for i in iterate("end", 5) do say("end", i) end
for i in iterate("break", 5) do
    if i == 3 then break end
    say("break", i)
end
local function search(n)
    for i in iterate("return", 10) do
        for j in iterate("inner", i) do
            if i * j == n then return i, j end
        end
    end
end
say("found", search(12))
for i in iterate("goto", 4) do
    for j in iterate("goto inner", 4) do
        if j == 2 then goto continue end
        say(i, j)
    end
    ::continue::
end
say(pcall(function()
    for i in iterate("error", 6) do
        if i == 4 then error("stop " .. i, 0) end
    end
end) and "fine" or "failed")
local co = coroutine.wrap(function()
    for i in iterate("coroutine", 4) do coroutine.yield(i) end
    return "over"
end)
for _ = 1, 5 do say(co()) end
local half = coroutine.create(function() for i in iterate("half", 4) do coroutine.yield(i) end end)
coroutine.resume(half)
coroutine.resume(half)
say(tostring(coroutine.close(half)), coroutine.status(half))
for i, line in ipairs(log) do print(i, line) end
