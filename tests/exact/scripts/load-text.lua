-- load: texts, in loops, syntax errors, chunk names, upvalues of what was loaded, recursion.
for i = 1, 15 do
    local f = load("local a = ... a = a * " .. i .. " return a, function() a = a + " .. i .. " return a end")
    local v, g = f(i)
    print(i, v, g(), g(), f == load("return 1"))
end
print(load("return +"))
print(load("x = = 1", "=name"))
print(load("for i = 1 do end", "@file.lua"))
print(load("goto nowhere", "a long text as the chunk's name, which is cut somewhere in the middle of it all"))
print(pcall(load("error('inside')", "=chunk")))
print(pcall(load("local x = nil\n\nreturn x.y", "=lines")))
print(pcall(load, 5))
print(load("return ...", "c", "t")(1, 2, 3))
print(load("\27Lua", "c", "t"))
local kept = {}
for i = 1, 10 do
    kept[i] = load(([[
        local n = %d
        local function fact(k) if k < 2 then return 1 end return k * fact(k - 1) end
        return function(m)
            n = n + m
            return n, fact(%d)
        end
    ]]):format(i * 10, i))()
end
for round = 1, 3 do
    for i = 1, 10, 2 do io.write(table.concat({ kept[i](round) }, ":"), " ") end
    print(round)
end
local function self(n) if n == 0 then return "0" end return load("local f, n = ... return n .. f(n - 1)")(self, n) end
print(self(12))
globalNumber = 5
load("globalNumber = globalNumber * 2; function globalFunction(x) return x + globalNumber end")()
print(globalNumber, globalFunction(1))
local co = coroutine.wrap(load("local a, b = ... while true do a, b = b, a + b coroutine.yield(a) end"))
co(0, 1)
for _ = 1, 15 do io.write(co(), " ") end
print()
local counter = load("local n = 0 return function() n = n + 1 return n end")
local c1, c2 = counter(), counter()
print(c1(), c1(), c2(), c1(), c2())
