-- Coroutine in coroutine in coroutine: yields that go one level, resumes from inside.
local function layer(depth, n)
    return coroutine.wrap(function(...)
        local args = select("#", ...)
        if depth == 0 then
            for i = 1, n do coroutine.yield(i, args) end
            return
        end
        local inner = layer(depth - 1, n)
        for v, a in inner do
            local back = coroutine.yield(v * 2 + depth, a + args)
            if back == "skip" then inner() end
        end
    end)
end
for depth = 0, 4 do
    for v, a in layer(depth, 6) do io.write(v, ":", a, " ") end
    print()
end
local l = layer(2, 8)
for i = 1, 6 do print(i, l(i % 2 == 0 and "skip" or nil)) end
-- states seen from each other
local outer, inner
inner = coroutine.create(function()
    print("inner", coroutine.status(outer), coroutine.status(inner), coroutine.isyieldable())
    print(coroutine.resume(outer))
    print(coroutine.resume(inner))
    local third = coroutine.create(function()
        print("third", coroutine.status(outer), coroutine.status(inner))
        coroutine.yield("from third")
        error("third fails")
    end)
    print(coroutine.resume(third))
    coroutine.yield(coroutine.status(third))
    print(coroutine.resume(third))
    return coroutine.status(third)
end)
outer = coroutine.create(function()
    local ok, a = coroutine.resume(inner)
    print("outer", ok, a, coroutine.status(inner))
    coroutine.yield("outer rests")
    ok, a = coroutine.resume(inner)
    return ok, a
end)
print(coroutine.resume(outer))
print(coroutine.status(outer), coroutine.status(inner))
print(coroutine.resume(outer))
print(coroutine.status(outer), coroutine.status(inner))
-- recursion through coroutines
local function sum(n)
    if n == 0 then return 0 end
    local co = coroutine.wrap(sum)
    return n + co(n - 1)
end
print(sum(40))
