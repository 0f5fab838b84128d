-- Tail calls of C functions that go on in Lua, out of functions whose variables are captured, where
-- another call of the same depth has left its traces: a yield of several values, results that waited.
local function count(n)
    local sum = 0
    for i = 1, n do sum = sum + i end
    return sum
end
local function wrapped(n)
    return coroutine.wrap(function() return count(n), n end)()
end
local function resumed(n, ...)
    local t = table.pack(...)
    return coroutine.resume(coroutine.create(function() return count(n), t.n end))
end
local function protected(n)
    local function add(k) n = n + k return count(n) end
    return pcall(add, n)
end
local function caught(n)
    return xpcall(function(k) return count(k) .. nil, n end, function(m) return n, m end, n)
end
local function closing(n)
    local guard <close> = setmetatable({}, { __close = function() count(n) end })
    return n, n + 1, guard ~= nil, count(n)
end
local steps = coroutine.wrap(function()
    for i = 1, 8 do
        coroutine.yield(i, i + 1, i + 2, i + 3)
        coroutine.yield("wrapped", wrapped(10 + i))
        coroutine.yield("closing", closing(10 + i))
        coroutine.yield("resumed", resumed(10 + i, nil, nil))
        coroutine.yield(i, i + 1, i + 2, i + 3, i + 4)
        coroutine.yield("protected", protected(5 + i))
        coroutine.yield("caught", caught(10 + i))
    end
end)
for _ = 1, 8 * 7 do
    print(steps())
    print(closing(3))
    print(wrapped(7), resumed(6), protected(3))
end
