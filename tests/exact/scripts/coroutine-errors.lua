-- Coroutines that die by errors: their values, wrap with error, the position it gets.
local function failing(kind)
    coroutine.yield("before")
    if kind == 1 then error("text") end
    if kind == 2 then error({ kind = kind }) end
    if kind == 3 then error() end
    if kind == 4 then local t = nil return t.x end
    if kind == 5 then error("no position", 0) end
    if kind == 6 then error(setmetatable({}, { __tostring = function() return "object" end })) end
    return "fine"
end
for kind = 1, 7 do
    local co = coroutine.create(failing)
    print(coroutine.resume(co, kind))
    local ok, e = coroutine.resume(co)
    print(kind, ok, type(e) == "table" and (e.kind or tostring(e)) or e, coroutine.status(co))
    print(coroutine.resume(co))
    local w = coroutine.wrap(failing)
    w(kind)
    ok, e = pcall(w)
    print(kind, ok, type(e) == "table" and (e.kind or tostring(e)) or e)
    print(pcall(w))
end
local w = coroutine.wrap(function() return 1 end)
print(w())
print(pcall(w))
-- an error goes through a chain of wraps; each level may add to it
local function chain(n)
    return coroutine.wrap(function()
        if n == 0 then error("deep", 0) end
        local inner = chain(n - 1)
        if n % 2 == 0 then
            local ok, e = pcall(inner)
            error(tostring(ok) .. n .. e, 0)
        end
        inner()
    end)
end
for n = 0, 6 do print(n, pcall(chain(n))) end
print(pcall(coroutine.resume, 5))
print(pcall(coroutine.create, 5))
print(pcall(coroutine.wrap))
print(coroutine.resume(coroutine.create(error), "as body", 0))
print(pcall(coroutine.wrap(error), "as body", 0))
print(coroutine.resume(coroutine.create(string.rep), "ab", 3))
print(pcall(coroutine.yield, 1))
