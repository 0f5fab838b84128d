-- To-be-closed variables and return: values of the return are kept over the __close calls.
local log = {}
local function guard(name, f)
    return setmetatable({}, { __close = function(_, e)
        log[#log + 1] = name .. ":" .. tostring(e)
        local junk = { 1, 2, 3, name, e }
        return f and f(#junk) or junk
    end })
end
local function many(n)
    local a <close> = guard("a" .. n)
    local t = {}
    for i = 1, n do t[i] = i * n end
    local b <close> = guard("b" .. n)
    return table.unpack(t)
end
for n = 0, 8 do print(n, many(n)) end
local function pass(...)
    local g <close> = guard("pass")
    return ...
end
print(pass(), pass(1, nil, 3), pass(nil, nil))
print((pass(7, 8)))
local value = 1
local function late()
    local g <close> = guard("late", function(n) value = value + n end)
    return value, function() return value end
end
for _ = 1, 4 do
    local v, f = late()
    print(v, f(), value)
end
local function early(n)
    for i = 1, 10 do
        local g <close> = guard("early" .. i)
        for j = 1, 10 do
            local h <close> = guard("deep" .. j)
            if i * j == n then return i, j, n end
        end
    end
    return "none"
end
print(early(3))
print(early(14))
print(early(11))
local function tail(n)
    local g <close> = guard("tail" .. n)
    if n == 0 then return "bottom" end
    return tail(n - 1)
end
print(tail(5))
print(#log)
for i = 1, #log do io.write(log[i], i % 8 == 0 and "\n" or " ") end
print()
