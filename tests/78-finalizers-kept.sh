#!/bin/sh
# Exact resume: the finalizers that were to run do so, once, in the order in which they would have.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# In the reverse order of setmetatable with __gc, however they refer to each other.
as_lua5_4 <<'LUA'
local objects, mt = {}, { __gc = function(o) print("gc", o.name, #(o.others or "")) end }
for name in ("a b c d e f g h"):gmatch("%a") do objects[#objects + 1] = { name = name } end
for _, i in ipairs { 3, 1, 8, 5, 2, 7 } do setmetatable(objects[i], mt) end
objects[3].others = { objects[7], objects[4], objects[2] }
save()
for _, i in ipairs { 6, 4 } do setmetatable(objects[i], mt) end
save()
setmetatable(objects[1], { __gc = function(o) print("other", o.name) end })
table.remove(objects, 5)
collectgarbage()
print(#objects)
save()
LUA

# Whether there is one is decided by setmetatable, which one it is when it runs.
as_lua5_4 <<'LUA'
local function final(o) print("gc", o.name) end
local late, removed, back = { name = "late" }, { name = "removed" }, { name = "back" }
local without, changed = { name = "without" }, { name = "changed" }
setmetatable(late, {})
getmetatable(late).__gc = final
for _, o in ipairs { removed, back, without, changed } do setmetatable(o, { __gc = final }) end
getmetatable(removed).__gc = nil
getmetatable(back).__gc = nil
setmetatable(without, nil)
setmetatable(changed, { __index = {} })
setmetatable(string, { __gc = function() print("gc of a library", _G ~= nil) end })
setmetatable(_G, { __gc = true })
save()
getmetatable(back).__gc = final
getmetatable(changed).__gc = function(o) print("another", o.name) end
getmetatable(_G).__gc = function() print("gc of the globals") end
print(late.name, removed.name, without.name)
LUA

# Weak keys that a finalizer brings back stay in their table, whose order is kept.
as_lua5_4 <<'LUA'
local t = setmetatable({}, { __mode = "k" })
local holder = setmetatable({ keys = {} }, { __gc = function(o) back = o.keys end })
for i = 1, 50 do
  holder.keys[i] = { i }
  t[holder.keys[i]] = i
end
save()
holder = nil
collectgarbage()
local count, sum = 0, 0
for _, i in pairs(t) do count, sum = count + 1, sum + i end
print(#back, count, sum)
save()
for k, i in pairs(t) do if i % 2 == 0 then t[k] = nil end end
for _, i in next, t do sum = sum - i end
print(sum)
LUA

# One that has run does not run again; one that has marked its object again does.
as_lua5_4 <<'LUA'
collectgarbage("stop")
local kept, again = {}, {}
setmetatable({ name = "once" }, { __gc = function(o) kept[1] = o print("gc", o.name) end })
local mt = {}
mt.__gc = function(o)
  print("gc", o.name)
  again[#again + 1] = setmetatable(o, mt)
end
setmetatable({ name = "always" }, mt)
collectgarbage()
print(#kept, #again)
again[1] = nil
save()
print(kept[1].name, getmetatable(kept[1]).__gc ~= nil)
collectgarbage()
print(#kept, #again)
save()
kept = nil
mt.__gc = nil
LUA

# Garbage whose finalizer has not run when it is saved.
as_lua5_4 <<'LUA'
collectgarbage("stop")
local mt = { __gc = function(o) print("gc", o.name, o.inner and o.inner.name, o.f and o.f()) end }
local seen = setmetatable({}, { __mode = "k" })
for i = 1, 5 do
  local inner, n = setmetatable({ name = "inner" .. i }, i % 2 == 0 and mt or nil), i * 10
  local o = setmetatable({ name = "outer" .. i, inner = inner, f = function() n = n + 1 return n end }, mt)
  inner.outer = o
  seen[o] = i
end
local used = setmetatable({ name = "used" }, mt)
save()
print(used.name)
collectgarbage()
print("collected", rawequal(seen, nil))
save()
setmetatable({ name = "left to the end" }, mt)
save()
LUA

# Coroutines and closures that only a finalizer sees; files that it writes to.
as_lua5_4 <<'LUA'
collectgarbage("stop")
local file = assert(io.open("out.txt", "w"))
do
  local co = coroutine.wrap(function(...) for i = 1, 3 do coroutine.yield(i, ...) end end)
  co("x")
  setmetatable({}, { __gc = function() file:write(table.concat({ co() }, " "), "\n") print(co()) end })
end
save()
collectgarbage()
file:close()
for line in io.lines("out.txt") do print(line) end
os.remove("out.txt")
LUA
rm -f out.txt

# Garbage that cannot be saved is left out, and that is told once; what it is marked with remains in
# order.
cat >left.lua <<'LUA'
collectgarbage("stop")
local mt = { __gc = function(o) print("gc", o.name) end }
local kept = setmetatable({ name = "kept" }, mt)
setmetatable({ name = "garbage", pipe = io.popen("true") }, mt)
local last = setmetatable({ name = "last" }, mt)
checkpoint(true)
checkpoint(true)
ckpt.exit()
print(kept.name, last.name)
LUA
for save in inline fork; do
    expect_exit 85 "$CKPTLUA" --save $save left.lua
    expect_once 'left.lua is saved without an object that nothing refers to any more: its finalizer (__gc) will not run in a job that continues from there (a value: a pipe'
    expect_exit 0 "$CKPTLUA" left.lua
    printf 'kept\tlast\ngc\tlast\ngc\tkept\n' | cmp - "$out" || fail 'not these finalizers'
done

# What is looked at only, or continued from its globals, runs none of them.
cat >look.lua <<'LUA'
if ckpt.resumed == 0 then
  collectgarbage("stop")
  kept = setmetatable({ name = "kept" }, { __gc = function() print("gc of kept") end })
  setmetatable({}, { __gc = function() print("gc of garbage") end })
  ckpt.exit()
end
print(kept.name)
LUA
expect_exit 85 "$CKPTLUA" --resume exact look.lua
expect_exit 0 "$CKPTLUA" inspect look.ckpt kept
! grep gc "$out" || fail 'a finalizer ran'
expect_exit 0 "$CKPTLUA" --resume globals look.lua
! grep garbage "$out" || fail 'garbage came back'
expect_output kept

# Very many of them, in their order: the last one goes first.
cat >many.lua <<'LUA'
local sum, last, keep = 0, math.huge, {}
local class = { __gc = function(o) assert(o[1] < last) sum, last = sum + o[1], o[1] end }
for i = 1, 20000 do keep[i] = setmetatable({ i }, class) end
ckpt.exit()
keep = nil
collectgarbage()
print(sum)
LUA
expect_exit 85 "$CKPTLUA" many.lua
expect_exit 0 "$CKPTLUA" many.lua
expect_output 200010000
