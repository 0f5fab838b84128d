-- To-be-closed variables and errors: what __close sees, errors inside __close, chains of them.
local function guard(name, raise)
    return setmetatable({ name = name }, {
        __close = function(o, e)
            print("close", o.name, type(e) == "table" and "table" or e)
            if raise then error(raise .. " in " .. o.name, 0) end
        end,
    })
end
print(pcall(function()
    local a <close> = guard "a"
    local b <close> = guard("b", "second")
    local c <close> = guard "c"
    error("first", 0)
end))
print(pcall(function()
    local a <close> = guard("a", "third")
    local b <close> = guard("b", "second")
    local c <close> = guard("c", "first")
    return "lost"
end))
print(pcall(function()
    for i = 1, 3 do
        local g <close> = guard("loop" .. i, i == 2 and "broken")
        print("body", i)
    end
end))
for i = 1, 4 do
    print(i, pcall(function()
        local outer <close> = guard("outer" .. i)
        local ok, e = pcall(function()
            local inner <close> = guard("inner" .. i, i % 2 == 0 and "even")
            if i > 2 then error({}) end
            return i
        end)
        print(ok, type(e))
        if i == 4 then error("again", 0) end
        return ok
    end))
end
print(pcall(function()
    local x <close> = 42
    return x
end))
print(pcall(function()
    local fine <close> = guard "fine"
    local x <close> = {}
    return fine, x
end))
local function recursive(n)
    local g <close> = guard("r" .. n, n == 3 and "replaced")
    if n == 0 then error("bottom", 0) end
    return (recursive(n - 1))
end
print(pcall(recursive, 6))
print(xpcall(function()
    local g <close> = guard("handled", "from close")
    local s = 0
    for i = 1, 100 do s = s + i end
    error("sum " .. s, 0)
end, function(m) return "<" .. m .. ">" end))
