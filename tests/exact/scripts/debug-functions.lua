-- debug: tracebacks at many places, current lines, locals by name, varargs by negative index.
local function line() return debug.getinfo(2, "l").currentline end
local function where(n)
    if n == 0 then
        return (debug.traceback("at", 1):gsub("\n%s*", " | "))
    end
    local r = where(n - 1)
    return r
end
print(where(0))
print(where(2))
for i = 1, 10 do
    if i % 4 == 0 then print(i, line()) end
    local f = debug.getinfo(1, "nSlut")
    if i == 5 then print(f.short_src, f.currentline, f.what, f.nups, f.nparams, f.isvararg, f.istailcall) end
end
local function locals(level)
    local r = {}
    for i = 1, 40 do
        local name, v = debug.getlocal(level, i)
        if not name then break end
        if name:sub(1, 1) ~= "(" then
            local plain = type(v) ~= "table" and type(v) ~= "function"
            r[#r + 1] = name .. "=" .. (plain and tostring(v) or type(v))
        end
    end
    for i = -1, -5, -1 do
        local name, v = debug.getlocal(level, i)
        if not name then break end
        r[#r + 1] = "..." .. tostring(v)
    end
    return table.concat(r, " ")
end
local function sample(a, b, ...)
    local c = a + b
    for i = 1, 3 do
        local d = c * i
        if i == 2 then print(locals(3)) end
    end
    do local e <const>, f <close> = 5, nil print(locals(3)) end
    local g = { ... }
    return locals(2), #g
end
print(sample(1, 2))
print(sample(3, 4, "x", nil, "z"))
local function change(x)
    debug.setlocal(1, 1, x * 10)
    return x
end
for i = 1, 5 do io.write(change(i), " ") end
print()
local n = 1
local function up() n = n + 1 return n end
up()
print(debug.setupvalue(up, 1, 50), up(), debug.getupvalue(up, 1))
local m = 7
local function other() m = m + 1 return m end
debug.upvaluejoin(up, 1, other, 1)
print(up(), other(), n, debug.upvalueid(up, 1) == debug.upvalueid(other, 1))
local co = coroutine.create(function(a) local b = a * 2 coroutine.yield(b) local c = b return c end)
coroutine.resume(co, 21)
print((debug.traceback(co, "co"):gsub("\n%s*", " | ")), debug.getlocal(co, 1, 1), debug.getlocal(co, 1, 2),
    debug.getinfo(co, 1, "l").currentline)
