-- Methods: a:b():c(), inheritance, methods as values, calls on strings and on call results.
local list = {}
list.__index = list
function list.new(...) return setmetatable({ ... }, list) end
function list:map(f) local r = list.new() for i = 1, #self do r[i] = f(self[i], i) end return r end
function list:keep(f) local r = list.new() for i = 1, #self do if f(self[i]) then r[#r + 1] = self[i] end end return r end
function list:fold(f, a) for i = 1, #self do a = f(a, self[i]) end return a end
function list:push(...) for i = 1, select("#", ...) do self[#self + 1] = (select(i, ...)) end return self end
function list:show() return "[" .. table.concat(self, " ") .. "]" end
for i = 1, 8 do
    print(list.new(i, 2, 3):push(4, i):map(function(v) return v * i end):keep(function(v) return v % 2 == 0 end)
        :push(i):map(function(v, k) return v + k end):show())
end
print(list.new(1, 2, 3, 4):fold(function(a, b) return a * 10 + b end, 0))
local animal = {}
animal.__index = animal
function animal:init(name) self.name = name return self end
function animal:speak(n) return self.name .. " " .. string.rep(self:sound(), n, "-") end
function animal.sound() return "?" end
local dog = setmetatable({}, { __index = animal })
dog.__index = dog
function dog.sound() return "woof" end
local puppy = setmetatable({}, { __index = dog })
puppy.__index = puppy
function puppy:speak(n) return "small " .. dog.speak(self, n):upper():lower():gsub("o", "0") end
for i = 1, 6 do
    for _, class in ipairs { animal, dog, puppy } do
        print(setmetatable({}, class):init("x" .. i):speak(i))
    end
end
local s = "Hello"
for i = 1, 5 do print(s:rep(i):sub(2, -2):reverse():upper():len(), ("%d-%s"):format(i, s):byte(1, 3)) end
local bound = function(o, m) return function(...) return o[m](o, ...) end end
print(bound(list.new(3, 4), "push")(5, 6):show(), bound(s, "rep")(2))
