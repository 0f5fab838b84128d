-- require: modules that the script puts into package.preload; state in them, cycles, errors.
package.preload.counter = function(name, extra)
    local n = 0
    local M = { name = name, extra = extra }
    function M.next() n = n + 1 return n end
    for i = 1, 20 do M.sum = (M.sum or 0) + i end
    return M
end
package.preload["a.b"] = function(...)
    local counter = require "counter"
    local M = { n = counter.next(), args = select("#", ...) }
    package.loaded["a.b"] = M
    M.c = require "a.c"
    return M
end
package.preload["a.c"] = function() return { back = require "a.b", f = function(x) return x * require("counter").next() end } end
package.preload.nothing = function() end
package.preload.no = function() return false end
package.preload.broken = function() error("cannot start") end
local c = require "counter"
print(c.name, c.extra, c.sum, c.next(), select("#", require "counter"), require "counter" == c)
local ab = require "a.b"
print(ab.n, ab.args, ab.c.back == ab, ab.c.f(10), ab.c.f(10), package.loaded["a.c"] == ab.c)
print(require "nothing", package.loaded.nothing, require "no")
for i = 1, 3 do print(i, pcall(require, "broken")) end
print(package.loaded.broken, (select(2, pcall(require, "not.there")):match("^[^\n]*")))
for i = 1, 10 do
    package.preload["gen" .. i] = load(
        "local n = ... local k = 0 return { name = n, add = function(x) k = k + x return k + " .. i .. " end }")
end
for round = 1, 3 do
    for i = 1, 10 do
        local m = require("gen" .. i)
        io.write(m.name, "=", m.add(round), " ")
        if i == round * 3 then package.loaded["gen" .. i] = nil end
    end
    print()
end
local co = coroutine.wrap(function()
    package.preload.inside = function() return { v = require("counter").next() } end
    coroutine.yield(require("inside").v)
    return require("inside").v
end)
print(co(), co(), require("inside").v, require "string" == string, require "_G" == _G)
