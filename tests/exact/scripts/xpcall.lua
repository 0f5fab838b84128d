-- xpcall: handlers that add to the message, take tracebacks, get arguments, throw themselves.
local function level3(n) if n > 2 then error("too big " .. n) end return n * 2 end
local function level2(n) return level3(n) + 1 end
local function level1(n)
    local r = level2(n)
    return r, "fine"
end
for n = 1, 4 do
    print(xpcall(level1, function(m) return "handled: " .. m end, n))
    print(xpcall(level1, debug.traceback, n))
end
local calls = 0
local function handler(m)
    calls = calls + 1
    local t = {}
    for i = 1, 5 do t[i] = (type(m) == "string" and #m or 0) * i + calls end
    return table.concat(t, ",")
end
for n = 1, 6 do
    print(xpcall(function(...)
        local s = select("#", ...)
        return xpcall(level1, handler, s + n)
    end, handler, n, nil, n))
end
print(calls)
-- a handler for each level, results kept apart
local function nest(n, trace)
    if n == 0 then error("core", 0) end
    local ok, m = xpcall(nest, function(e) trace[#trace + 1] = n return e .. n end, n - 1, trace)
    error((ok and "?" or m) .. "/", 0)
end
local trace = {}
print(pcall(nest, 8, trace))
print(table.concat(trace, " "))
print(xpcall(error, function(e) return type(e) end))
print(xpcall(error, function(e) return e.x end, { x = 5 }))
print(xpcall(xpcall, function(e) return "outer " .. e end, error, function(e) return "inner " .. e end, "e"))
print(xpcall(function() error("a", 0) end, function(m) return m, "dropped" end))
print(select("#", xpcall(function() return nil, nil end, print)))
print(xpcall(string.rep, function(m) return "C: " .. m end, "x", 3, "-"))
