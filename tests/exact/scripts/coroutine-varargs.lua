-- Varargs of frames that are suspended: in coroutine bodies, in callers, through pcall and tail calls.
local yield = coroutine.yield
local function inner(...)
    local n = select("#", ...)
    local a = yield(n, ...)
    return a, n, ...
end
local function middle(tag, ...)
    local r = table.pack(inner(...))
    yield(tag, ...)
    return tag, table.unpack(r, 1, r.n)
end
local function tail(...) return middle("tail", ...) end
local function outer(...)
    local x = select("#", ...)
    print("outer", x, pcall(middle, "pcall", ...))
    print("outer", tail(x, ...))
    for i = 1, select("#", ...) do
        local v = select(i, ...)
        yield(i, v)
        if v == nil then yield("nil", ..., "last") end
    end
    return (...), x
end
for n = 0, 4 do
    local args = { 10, nil, 30, nil, n = n }
    local co = coroutine.create(outer)
    local r = table.pack(coroutine.resume(co, table.unpack(args, 1, n)))
    local turns = 0
    while coroutine.status(co) ~= "dead" do
        turns = turns + 1
        print(n, turns, table.unpack(r, 1, r.n))
        r = table.pack(coroutine.resume(co, turns * 100, "extra"))
    end
    print(n, "dead", table.unpack(r, 1, r.n))
end
local function counter(...)
    local held = { ... }
    return coroutine.wrap(function(...)
        local args = { ... }
        while true do
            for i = 1, #held do yield(held[i], args[i]) end
        end
    end)
end
local c1, c2 = counter(1, 2, 3), counter("a", "b")
for i = 1, 8 do print(i, c1("x", "y", "z"), c2(i)) end
