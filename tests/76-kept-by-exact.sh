#!/bin/sh
# What a script can change outside of its own values, and still finds when it goes on.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

pieces=2

as_lua5_4 <<'LUA'
warn("not seen")
warn("@on")
warn("a", "@b", "c")
save()
warn("seen")
warn("@off")
warn("not seen", "@on")
warn("seen ", "@off")
LUA
as_lua5_4 <<'LUA'
collectgarbage("generational")
collectgarbage("incremental", 150, 300, 10)
save()
print(collectgarbage("incremental"), collectgarbage("setpause", 100), collectgarbage("setstepmul", 120))
LUA
as_lua5_4 <<'LUA'
collectgarbage("setpause", 120)
collectgarbage("setstepmul", 160)
collectgarbage("generational", 30, 50)
save()
print(collectgarbage("incremental"), collectgarbage("setpause"), collectgarbage("setstepmul"))
LUA
as_lua5_4 <<'LUA'
print(os.setlocale("C.UTF-8"), os.setlocale("C", "numeric"))
save()
print(os.setlocale(nil, "ctype"), os.setlocale(nil, "numeric"))
LUA
as_lua5_4 <<'LUA'
package.path = "./other/?.lua;" .. package.path
package.preload.made = function(...) return { ... } end
table.insert(package.searchers, 2, function(name)
  if name == "magic" then return function(...) return "MAGIC" end, "data" end
end)
local made = require "made"
save()
print(package.path:sub(1, 12), require "made" == made, require "magic", #package.searchers)
package.loaded.made = nil
print(require "made" == made, pcall(require, "nothing.at.all") == false)
LUA
as_lua5_4 <<'LUA'
getmetatable("").__index = function(s, k) return type(k) == "number" and s:sub(k, k) or string[k] end
getmetatable("").__add = function(a, b) return a .. b end
getmetatable(io.stdout).extra = 5
for _, value in ipairs { 1, true, print } do debug.setmetatable(value, { __index = { x = type(value) } }) end
debug.setmetatable(nil, { __index = { x = "nil" } })
string.mine, math.pi, table.unpack, os.time = function() return 1 end, 3, nil, function() return 42 end
setmetatable(_G, { __index = function(_, k) return k end })
arg.x, arg[1] = 5, "changed"
save()
print(("abc")[2], ("a") + ("b"), getmetatable(io.stdout).extra, (5).x, (true).x, print.x, (nil).x)
print(("x"):mine(), math.pi, table.unpack, os.time(), undefined, arg.x, arg[1])
LUA
as_lua5_4 <<'LUA'
local a, b = 1, 2
local function f() a = a + 1 return a end
local function g() b = b + 1 return b end
debug.upvaluejoin(f, 1, g, 1)
local reads
do
  local _ENV = { x = 4 }
  reads = function() return x end
end
debug.setupvalue(reads, 1, { x = 5 })
local h = load("y = 7 return y, ...", "=h", "t", {})
local text = string.dump(function() return 9 end)
save()
print(f(), g(), a, b, reads(), x, y, h(4), load(text)())
LUA
as_lua5_4 <<'LUA'
local out = assert(io.open("out.txt", "w"))
io.output(out)
io.input("body.lua")
io.read("l")
for part, rest in io.lines("body.lua", 3, "l") do
  io.write(part, "|", rest, "\n")
  if save then save() end
  save = nil
end
print(io.read("l"), io.output() == out)
out:close()
for line in io.lines("out.txt") do print(line) end
LUA
as_lua5_4 <<'LUA'
local function handler(message) return "handled: " .. message:gsub("^.-:%d+: ", "") end
print(xpcall(function() save() error("late") end, handler))
local co = coroutine.create(function()
  local x <close> = setmetatable({}, { __close = function(_, e) print("closed", e.code) end })
  error({ code = 5 })
end)
print(coroutine.resume(co) == false, coroutine.status(co))
print((select(2, coroutine.close(co))).code)
LUA

# What a script puts into the registry is not kept, and it is told so, once.
cat >registry.lua <<'LUA'
for i = 1, 2 do
  debug.getregistry().mine = i
end
ckpt.exit()
print(debug.getregistry().mine)
LUA
expect_exit 85 "$CKPTLUA" registry.lua
expect_once 'ckptlua: registry.lua:2: what a script puts into debug.getregistry() is not saved; see docs/limits.md'
expect_exit 0 "$CKPTLUA" registry.lua
expect_output nil
