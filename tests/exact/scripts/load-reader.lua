-- load with a reader function: pieces of any size, nil at once, errors and yields in the reader.
local text = "local s = 0 for i = 1, 10 do s = s + i * (...) end return s, 'done'"
local function reader(size)
    local at = 1
    return function()
        local piece = text:sub(at, at + size - 1)
        at = at + size
        if piece ~= "" then return piece end
    end
end
for size = 1, 20, 3 do print(size, load(reader(size), "=pieces")(size)) end
print(load(function() end)())
print(load(function() return "" end)())
print(load(function() return "return +" end))
local n = 0
print(load(function() n = n + 1 if n < 4 then return "x = " .. n .. " " end return nil end, "=three")())
print(x, n)
-- under pcall, since the handler of the program lua5.4 would add a traceback
print(pcall(load, function() error("reader failed", 0) end))
print(pcall(load, function() return {} end))
local number = 0
print(load(function() number = number + 1 return number == 1 and "return " or number < 5 and number or nil end)())
print(select("#", pcall(load, function() error({}) end)))
local lines = { "return {", "a = 1,", "b = { 2, 3 },", "f = function(...) return select('#', ...) end", "}" }
for round = 1, 4 do
    local i = 0
    local t = load(function() i = i + 1 return lines[i] and lines[i] .. "\n" end, "=table")()
    print(round, t.a, t.b[2], t.f(1, nil, nil), i)
end
-- a reader that is a coroutine's wrap, a callable table is none
local co = coroutine.wrap(function()
    for w in ("return function ( a , b ) return a ^ b end"):gmatch("%S+") do coroutine.yield(w .. " ") end
end)
print(load(co, "=words")()(2, 10))
print(pcall(load, setmetatable({}, { __call = function() end })))
print(coroutine.wrap(function() return load(function() coroutine.yield() end) end)())
