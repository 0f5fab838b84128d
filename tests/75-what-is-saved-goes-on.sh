#!/bin/sh
# What cannot be continued is not saved either: stacks of calls of unusual sizes, and those that
# debug.setlocal has brought into a state that the code would not.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# goes_on OUTPUT: the script on stdin is saved by its ckpt.exit, and prints that in the end.
goes_on()
{
    cat >job.lua
    expect_exit 85 "$CKPTLUA" job.lua
    expect_exit 0 "$CKPTLUA" job.lua
    expect_output "$1"
}

# refused PART: it is refused.
refused()
{
    cat >job.lua
    expect_exit 4 "$CKPTLUA" job.lua
    expect_message "ckptlua: cannot save job.lua: " "$1"
    only_scripts_and
}

# deep N: a recursion that deep.
deep()
{
    cat <<LUA
local function rec(n)
  if n == 0 then ckpt.exit() return 0 end
  return 1 + rec(n - 1)
end
print(rec($1))
LUA
}

# Lua's stacks have room for 1,000,000 values.
deep 490000 | goes_on 490000
deep 499900 | refused 'its stack of calls is so large that it cannot be saved'

# Coroutines that had large stacks once, with the collector off.
goes_on 180300 <<'LUA'
local function deep(n) if n == 0 then return 0 end return 1 + deep(n - 1) end
local list, sum = {}, 0
collectgarbage("stop")
for i = 1, 600 do
  list[i] = coroutine.wrap(function() deep(3000) while true do coroutine.yield(i) end end)
  list[i]()
end
ckpt.exit()
for i = 1, #list do sum = sum + list[i]() end
print(sum)
LUA

# nils N: five coroutines that are called with so many.
nils()
{
    cat <<LUA
local list, sum = {}, 0
for i = 1, 5 do
  list[i] = coroutine.wrap(function(...) coroutine.yield() return select("#", ...) end)
  list[i](table.unpack({}, 1, $1))
end
ckpt.exit()
for i = 1, #list do sum = sum + list[i]() end
print(sum)
LUA
}
nils 280000 | goes_on 1400000
nils 900000 | refused 'coroutines that were called with very many nils'

# What debug.setlocal has done.
refused "a 'for' loop at job.lua:3, which debug.setlocal has changed, cannot be saved" <<'LUA'
for i = 1, 5 do
  debug.setlocal(1, 1, "x")
  ckpt.exit()
end
LUA
refused 'a to-be-closed variable at job.lua:4, which debug.setlocal has changed' <<'LUA'
coroutine.wrap(function()
  local x <close> = nil
  debug.setlocal(1, 1, "x")
  ckpt.exit()
end)()
LUA
refused 'a table constructor at job.lua:8, which debug.setlocal has changed' <<'LUA'
local function change()
  for i = 1, 20 do
    local name, value = debug.getlocal(2, i)
    if name == "(temporary)" and type(value) == "table" then debug.setlocal(2, i, 7) end
  end
  ckpt.exit()
end
local t = { 1, 2, change() }
LUA
goes_on 'x	2' <<'LUA'
local x, y = 1, 2
debug.setlocal(1, 1, "x")
for i = 1, 3 do
  if i == 2 then ckpt.exit() end
  debug.setlocal(1, 6, 10)
end
print(x, y)
LUA

# The text of a function that only an unreachable object has at a save stays: a finalizer may bring it
# back. Those of functions that are gone do not.
cat >kept.lua <<'LUA'
collectgarbage("stop")
setmetatable({ f = load("return 2"), pipe = io.popen("true") }, { __gc = function(o) kept = o.f end })
checkpoint(true)
checkpoint(true)
collectgarbage()
checkpoint(true)
ckpt.exit()
print(kept())
LUA
cat >gone.lua <<'LUA'
local function held()
  for line in io.lines("/proc/self/status") do
    local size = line:match("^VmRSS:%s*(%d+)")
    if size then return tonumber(size) / 1024 end
  end
end
local before = held()
for i = 1, 10 do
  for j = 1, 100 do load("local x = " .. i .. j .. (" "):rep(100000))() end
  collectgarbage()
  checkpoint(true)
end
assert(held() - before < 50)
LUA
for save in inline fork; do
    expect_exit 85 "$CKPTLUA" --save $save kept.lua
    expect_exit 0 "$CKPTLUA" kept.lua
    expect_output 2
    if [ "${CKPTLUA_SANITIZED:-0}" = 0 ]; then # which frees memory later
        expect_exit 0 "$CKPTLUA" --save $save gone.lua
    fi
done
