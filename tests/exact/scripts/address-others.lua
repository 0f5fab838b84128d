-- The addresses of functions, coroutines, iterators and userdata; and these as keys.
collectgarbage("stop")
print(coroutine.running())
print(("%p"):format(io.stdout), print == print)
local function maker(i) return function() return i, maker end end
local keys, functions, threads = {}, {}, {}
local function body(...)
    local i = ...
    while true do i = i + coroutine.yield(i, (coroutine.running())) end
end
local function order()
    local list = {}
    for k, v in pairs(keys) do list[#list + 1] = type(k):sub(1, 1) .. v end
    return table.concat(list, " ")
end
for round = 1, 30 do
    local f, co, wrapped = maker(round), coroutine.create(body), coroutine.wrap(body)
    local words, characters = string.gmatch("some words of a text", "%a+"), string.gmatch("abcdef", ".")
    functions[round % 7 + 1], threads[round % 5 + 1] = f, co
    keys[f], keys[co], keys[wrapped], keys[words] = round, round, round, round
    local _, _, self = coroutine.resume(co, round)
    wrapped(round)
    words()
    characters()
    coroutine.resume(co, 1)
    if round % 3 == 0 then
        for k, v in pairs(keys) do if v % 4 == round % 4 then keys[k] = nil end end
    end
    if round % 5 == 0 then
        local file = io.open("address-others.lua")
        local lines = file:lines()
        lines()
        keys[file], keys[lines] = round, round
        print(("%p %p"):format(file, lines), #lines())
        if round % 10 == 0 then file:close() end
    end
    print(f, self == co, co, wrapped, words, characters)
    print(order())
end
print(maker, functions, threads, load("return 1"), ("%p"):format(string.gmatch("a", "a")))
local closing <close> = setmetatable({}, { __close = function(o) print("closed", o) end })
-- More upvalues than a function may have local variables at once.
local parts = { "local a1 = 1" }
for i = 2, 170 do parts[i] = ("local a%d = %d"):format(i, i) end
local text = { table.concat(parts, "\n"), "return function() return a1" }
for i = 2, 170 do text[#text + 1] = ",a" .. i end
text[#text + 1] = " end"
local f = assert(load(table.concat(text, " ")))()
print(f, f(), select("#", f()), maker(1))
