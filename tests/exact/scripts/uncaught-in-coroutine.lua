-- An error that leaves a coroutine through wrap, with a to-be-closed variable on its way, uncaught.
local function guard(name)
    return setmetatable({}, { __close = function(_, e) print("close", name, e and e:match("^[^\n]*")) end })
end
local gen = coroutine.wrap(function(n)
    local g <close> = guard "coroutine"
    for i = 1, n do
        local x = i * i
        local got = coroutine.yield(x)
        if got == n - 5 then error("the " .. got .. "th") end
    end
end)
local function run(n)
    local g <close> = guard "run"
    local sum = gen(n)
    for i = 2, 100 do
        sum = sum + gen(i - 1)
        if i % 10 == 0 then print(i, sum) end
    end
    return sum
end
print(pcall(error, "before", 0))
local r = run(95)
print("never", r)
