-- coroutine.close: of new, suspended, dead and failed coroutines, and what status says then.
local function try(f, ...) return select("#", ...), pcall(f, ...) end
local made = {
    new = coroutine.create(function() end),
    suspended = coroutine.create(function() coroutine.yield() end),
    dead = coroutine.create(function() return 1 end),
    failed = coroutine.create(function() error({ code = 5 }) end),
    deep = coroutine.create(function()
        local function f(n) if n == 0 then coroutine.yield() end return 1 + f(n - 1) end
        return f(50)
    end),
}
for _, name in ipairs { "suspended", "dead", "failed", "deep" } do
    local ok, e = coroutine.resume(made[name])
    print(name, ok, type(e), coroutine.status(made[name]))
end
for _, name in ipairs { "new", "suspended", "dead", "failed", "deep" } do
    local ok, e = coroutine.close(made[name])
    print(name, ok, type(e) == "table" and e.code or e, coroutine.status(made[name]))
    print(coroutine.resume(made[name]))
    print(coroutine.close(made[name]))
end
print(try(coroutine.close, coroutine.running()))
local co
co = coroutine.create(function()
    local r = table.pack(pcall(coroutine.close, co))
    coroutine.yield(table.unpack(r, 1, r.n))
end)
print(coroutine.resume(co))
print(coroutine.close(co), coroutine.status(co))
-- closing while a closure still uses the coroutine's locals
local gets = {}
for i = 1, 8 do
    local c = coroutine.create(function()
        local n = i * 10
        gets[#gets + 1] = function() n = n + 1 return n end
        coroutine.yield()
        n = n * 1000
    end)
    coroutine.resume(c)
    if i % 2 == 0 then coroutine.close(c) else coroutine.resume(c) end
end
for _ = 1, 3 do
    for i = 1, 8 do io.write(gets[i](), " ") end
    print()
end
