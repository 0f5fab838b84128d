-- To-be-closed variables in coroutines: yields while armed, in __close itself, coroutine.close.
local function guard(name, yields)
    return setmetatable({ name = name }, {
        __close = function(o, e)
            print("close", o.name, e)
            for i = 1, yields or 0 do print("back", o.name, coroutine.yield("closing " .. o.name .. i)) end
        end,
    })
end
local function body(n)
    local a <close> = guard("a" .. n)
    coroutine.yield("one")
    for i = 1, n do
        local b <close> = guard("b" .. i)
        coroutine.yield(i)
        if i == 3 then error("three", 0) end
    end
    return "done " .. n
end
for n = 1, 4 do
    local co = coroutine.create(body)
    local steps = 0
    repeat
        local r = table.pack(coroutine.resume(co, n))
        steps = steps + 1
        print(n, table.unpack(r, 1, r.n))
    until coroutine.status(co) == "dead"
    print(steps, coroutine.status(co))
end
for n = 0, 4 do
    local co = coroutine.create(body)
    for _ = 1, n do coroutine.resume(co, 9) end
    print("stop at", n, coroutine.close(co))
    print(coroutine.status(co), coroutine.resume(co))
end
local co = coroutine.wrap(function()
    local x <close> = guard("x", 2)
    do
        local y <close> = guard("y", 1)
        coroutine.yield("inside")
    end
    for i = 1, 2 do
        local z <close> = guard("z" .. i, i)
        if i == 2 then return "returned", i end
    end
end)
for i = 1, 7 do print("got", co(i)) end
local bad = coroutine.create(function()
    local x <close> = setmetatable({}, { __close = function(_, e) error("close failed: " .. tostring(e), 0) end })
    coroutine.yield()
end)
coroutine.resume(bad)
print(coroutine.close(bad))
print(coroutine.status(bad), coroutine.close(bad))
