#!/bin/sh
# What cannot be saved is named as the script names it, also where only a local variable, an upvalue or
# a coroutine has it.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# names NAME: the script on stdin is refused for a pipe that it calls that.
names()
{
    cat >job.lua
    expect_exit 4 "$CKPTLUA" job.lua
    expect_message "ckptlua: cannot save job.lua: $1: a pipe (io.popen)"
}

names "local 'conn' (job.lua:2, in function 'poll')" <<'LUA'
local function poll(n)
  local conn = io.popen("true")
  if n > 0 then ckpt.exit() end
end
poll(1)
LUA
names "field conn of upvalue 'p' of function (job.lua:3)" <<'LUA'
local function make()
  local p = { conn = io.popen("true") }
  return function()
    return p
  end
end
t = { f = make() }
ckpt.exit()
LUA
names "local 'p' (job.lua:2)" <<'LUA'
local co = coroutine.wrap(function(...)
  for i, p in ipairs { io.popen("true") } do
    coroutine.yield(...)
  end
end)
co()
ckpt.exit()
LUA
names "field list[2].x of local 'q' (job.lua:2)" <<'LUA'
coroutine.wrap(function()
  local q = { list = { {}, { x = io.popen("true") } } }
  ckpt.exit()
  return q
end)()
LUA
names "an argument of '...' (job.lua:1, in function 'f')" <<'LUA'
local function f(...)
  ckpt.exit()
end
f(1, io.popen("true"))
LUA
names "a temporary value (job.lua:1)" <<'LUA'
print(#{ io.popen("true"), (ckpt.exit()) })
LUA
names "field q of upvalue 'p' of function (job.lua:3)" <<'LUA'
do
  local p = { q = io.popen("true") }
  ckpt.on_resume(function() return p end)
end
ckpt.exit()
LUA
# What is refused on the stack itself, and what ckpt has been given.
refused()
{
    cat >job.lua
    expect_exit 4 "$CKPTLUA" job.lua
    expect_message "ckptlua: cannot save job.lua: $1"
}

refused "the stack of calls: the source text of a function (job.lua:2), which is being called, is not known" <<'LUA'
load(string.dump(function()
  ckpt.exit()
end))()
LUA
refused "local 'co' (job.lua:1): the source text of poll (job.lua:2), which is being called, is not known" <<'LUA'
local co = coroutine.wrap(function()
  local function poll() coroutine.yield(1) end
  poll = load(string.dump(poll), "x", "b", { coroutine = coroutine })
  poll()
end)
co()
ckpt.exit()
LUA
refused "field [1] of ckpt's on_resume: the source text of this function is not known" <<'LUA'
ckpt.on_resume(load(string.dump(function() end)))
ckpt.exit()
LUA
# Global names come first, however long they are.
names 't.<metatable>.__index.p' <<'LUA'
t = setmetatable({}, { __index = { p = io.popen("true") } })
local p = t.p
ckpt.exit()
LUA
# The table of the globals itself.
for how in globals exact; do
    CKPTLUA_RESUME=$how
    export CKPTLUA_RESUME
    cat >job.lua <<'LUA'
ckpt.transient("cache", function() return {} end)
_G[cache] = 1
ckpt.exit()
LUA
    expect_exit 4 "$CKPTLUA" job.lua
    expect_message "ckptlua: cannot save job.lua: _G: the transient value 'cache' is a key here"
done
unset CKPTLUA_RESUME
# Of a way through very many tables the middle is left out.
names 'head.next.next.next.next.next.next.next ... .next.next.next.next.next.next.next.next.next.next.next.conn' <<'LUA'
head = {}
local t = head
for i = 1, 50000 do t.next = { n = i }; t = t.next end
t.conn = io.popen("true")
t = nil
ckpt.exit()
LUA
