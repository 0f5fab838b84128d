-- Yields across pcall and xpcall, errors after the yield, handlers in coroutines.
local function risky(n)
    local got = coroutine.yield("risky " .. n)
    if got % 2 == 0 then error("even " .. got) end
    return got * n
end
local co = coroutine.wrap(function()
    local results = {}
    for i = 1, 6 do
        local ok, v = pcall(risky, i)
        results[#results + 1] = tostring(ok) .. " " .. tostring(v)
        local ok2, v2 = xpcall(risky, function(m) return "handled " .. m end, i * 10)
        results[#results + 1] = tostring(ok2) .. " " .. tostring(v2)
        local ok3, a, b, c = pcall(pcall, pcall, risky, i * 100)
        results[#results + 1] = table.concat({ tostring(ok3), tostring(a), tostring(b), tostring(c) }, ",")
    end
    return "end", table.concat(results, "\n")
end)
local n, what, text = 0, nil, nil
repeat
    what, text = co(n)
    n = n + 1
    if n % 5 == 0 then print(n, what) end
until what == "end"
print(text)
-- nested: each level catches, yields, throws on
local function level(k)
    if k == 0 then coroutine.yield("core") error("core failed", 0) end
    local ok, e = pcall(level, k - 1)
    local back = coroutine.yield("level " .. k, ok, e)
    error(e .. "<" .. back, 0)
end
local deep = coroutine.create(level)
local r = table.pack(coroutine.resume(deep, 5))
for i = 1, 10 do
    print(table.unpack(r, 1, r.n))
    if coroutine.status(deep) == "dead" then break end
    r = table.pack(coroutine.resume(deep, i))
end
print(coroutine.status(deep), coroutine.resume(deep))
-- pcall of yield itself, and pcall as a coroutine's body
local body = coroutine.create(pcall)
print(coroutine.resume(body, coroutine.yield, 1, 2))
print(coroutine.resume(body, 3, 4))
body = coroutine.create(pcall)
print(coroutine.resume(body, risky, 3))
print(coroutine.resume(body, 4))
body = coroutine.create(xpcall)
print(coroutine.resume(body, risky, function(m) return #m end, 3))
print(coroutine.resume(body, 8))
