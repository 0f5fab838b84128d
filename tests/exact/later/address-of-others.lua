-- Needs Z: the addresses of functions, coroutines and userdata; the main coroutine's, too.
local function maker(i) return function() return i end end
print(coroutine.running())
print(("%p %p %p"):format(io.stdout, io.stdin, io.stderr))
local files, functions, threads = {}, {}, {}
for round = 1, 40 do
    functions[round] = maker(round)
    threads[round] = coroutine.create(function(...) coroutine.yield(coroutine.running()) return ... end)
    if round % 8 == 0 then files[#files + 1] = io.open(arg[0]) end
    local _, self = coroutine.resume(threads[round])
    print(round, functions[round], self == threads[round], self)
    for i = 1, 300 do
        local f, co = maker(i), coroutine.wrap(maker)
        functions[round % 5] = i % 100 == 0 and f or co
    end
    print(functions[round % 5], ("%p %p %p"):format(files[#files], maker, functions[1]))
end
local wrapped = coroutine.wrap(function()
    local inner <close> = setmetatable({}, { __close = function(o) print("closed", ("%p"):format(o)) end })
    coroutine.yield(inner)
end)
print(wrapped(), wrapped)
wrapped()
local object = setmetatable({}, { __name = "Named" })
print(object, string.gmatch("a", "a"), load("return 1"))
for _, file in ipairs(files) do file:close() end
