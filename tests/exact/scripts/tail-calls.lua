-- Tail calls: of functions, of methods, of C functions, through __call, with varargs.
local function loop(n, acc)
    if n == 0 then return acc end
    return loop(n - 1, acc + n)
end
print(loop(1500, 0))
local ping, pong
function ping(n, s) if n == 0 then return s .. "!" end return pong(n - 1, s .. "i") end
function pong(n, s) if n == 0 then return s .. "?" end return ping(n - 1, s .. "o") end
print(ping(41, ""), ping(40, ""))
local class = {}
class.__index = class
function class:down(n) if n == 0 then return self.name, self:finish() end self.name = self.name .. n return self:down(n - 1) end
function class:finish() return self.super:sum(#self.name, 0) end
function class:sum(n, acc) if n <= 0 then return acc end return self:sum(n - 1, acc + n) end
local object = setmetatable({ name = "", super = class }, class)
print(object:down(20))
local function spread(n, ...) if n == 0 then return ... end return spread(n - 1, n, ...) end
print(spread(30))
print(select("#", spread(100)))
local callable = setmetatable({}, { __call = function(self, n, ...) if n == 0 then return ... end return self(n - 1, n, ...) end })
print(callable(10, "end"))
local function native(s) return string.upper(s) end
local function unpacked(t) return table.unpack(t) end
local function failing(s) return error(s, 0) end
local function protected(...) return pcall(...) end
for i = 1, 10 do
    print(native("a" .. i), unpacked { i, i + 1 }, protected(failing, "no" .. i), protected(native, "b"))
end
local function traced(n) if n == 0 then return (debug.traceback("here")) end return traced(n - 1) end
print(traced(3))
