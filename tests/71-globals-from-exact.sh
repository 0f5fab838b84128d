#!/bin/sh
# --resume globals: functions in globals are kept by their text, and an exact snapshot of a script
# that has been edited goes on with its globals.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# Saves in the middle of everything: a loop, a coroutine, files, and objects that say when they are
# collected.
cat >mod.lua <<'LUA'
local M = {}
function M.counter(from)
  return function() from = from + 1; return from end
end
function M.named() return "named" end
return M
LUA
cat >job.lua <<'LUA'
local mod = require "mod"
local loud = { __gc = function() print("collected") end }
local here = setmetatable({}, loud)
local n = 0
Account = {}
Account.__index = Account
ckpt.register("Account", Account)
function Account.new(...) return setmetatable({ sum = 0, ... }, Account) end
function Account:add(x) self.sum = self.sum + x end
function double(x) return 2 * x end
ckpt.transient("input", function() return { 1, 2, 3 } end)

if not state then
  state = { log = {}, input = input, account = Account.new(), named = mod.named, double = double }
  state.tick = function() n = n + 1; return n end
  state.peek = function() return n end
  state.count = mod.counter(5)
  state.later = function() return kept(state.log) end
  state.match = string.gmatch("a b c", "%a")
  state.match()
  out = io.open("out.txt", "w")
end
function kept(list) return #list end
local function step(i)
  state.account:add(i)
  local line = table.concat({ state.tick(), state.double(i), state.count(), state.peek(), #state.input }, ":")
  state.log[#state.log + 1] = line
  out:write(line, "\n")
end
i = i or 0
local walk = coroutine.wrap(function()
  for line in io.lines("mod.lua") do coroutine.yield(line) end
end)
while i < 6 do
  i = i + 1
  walk()
  step(i)
  if i == 3 and ckpt.resumed == 0 then
    local ok = pcall(function() ckpt.exit() end)
  end
end
out:close()
checkpoint(true)
print(state.account.sum, table.concat(state.log, " "))
print(state.later(), state.named == mod.named, state.double == double, getmetatable(state.account) == Account,
  state.input == input, state.match(), type(here))
setmetatable(here, nil)
LUA
expect_exit 85 "$CKPTLUA" job.lua
expect_output
cp job.ckpt saved
cp out.txt begun

# again FILE...: from the same snapshot once more, with --resume globals.
again()
{
    cp saved job.ckpt
    cp begun out.txt
    expect_exit "$1" "$CKPTLUA" --resume globals job.lua
}
lines='1:2:6:1:3 2:4:7:2:3 3:6:8:3:3 4:8:9:4:3 5:10:10:5:3 6:12:11:6:3'
expected="21	$lines
6	true	true	true	true	b	table"

again 0
expect_output "$expected"
expect_once 'ckptlua: job.ckpt was saved with exact resume; its global variables are kept, and job.lua starts from its top'
expect_no_message 'has changed'
[ "$(tr '\n' ' ' <out.txt)" = "$lines " ] || fail "out.txt has other lines"

# The job stays one of globals: killed and continued without the option.
cp saved job.ckpt
cp begun out.txt
sed 's/i == 3 and ckpt.resumed == 0/i == 5 and ckpt.resumed == 1/' job.lua >edited
cp job.lua original
mv edited job.lua
expect_exit 3 "$CKPTLUA" job.lua
expect_message 'ckptlua: job.lua has changed since job.ckpt was saved (first difference: line 38)' \
    '--resume globals   continue with the saved globals and the new script' '--fresh'
expect_exit 85 "$CKPTLUA" --resume globals job.lua
expect_message 'job.lua has changed since job.ckpt was saved; going on with the saved globals and the new script'
expect_exit 0 "$CKPTLUA" job.lua
expect_output "$expected"
expect_no_message 'exact'

# Functions may move, and others may change.
sed '1i -- moved' original | sed 's/return 2 \* x/return x/' >job.lua
again 0
expect_output "21	$(echo "$lines" | sed 's/4:8:/4:4:/; s/5:10:1/5:5:1/; s/6:12:/6:6:/')
6	true	true	true	true	b	table"

# One that is not there any more, or twice, is named.
sed 's/state.tick = function() n = n + 1; return n end/state.tick = function() n = n + 2; return n end/' \
    original >job.lua
again 3
expect_message 'job.ckpt cannot be continued: ' 'job.lua:15 (state.tick = function()' 'is not there any more'
{
    cat original
    echo 'local function other() state.peek = function() return n end end'
    echo 'if false then'
    echo '  state.peek = function() return n end'
    echo 'end'
} >job.lua
again 3
expect_message 'job.ckpt cannot be continued: ' 'job.lua:16' 'is there twice now'
sed 's/^local n = 0$/local n, kept = 0/' original >job.lua
again 3
expect_message 'job.ckpt cannot be continued: ' "local variable 'kept' now"
cp original job.lua

# Modules may be edited too, but not for exact resume.
cp mod.lua plain.lua
sed '1i -- moved' plain.lua >mod.lua
again 0
expect_output "$expected"
cp saved job.ckpt
cp begun out.txt
expect_exit 3 "$CKPTLUA" job.lua
expect_message 'mod.lua has changed since the snapshot was saved (first difference: line 1)' '--resume globals'
sed 's/from + 1/from + 2/' plain.lua >mod.lua
again 3
expect_message './mod.lua:3 (return function() from = from + 1' 'is not there any more'
cp plain.lua mod.lua
rm -f job.ckpt* out.txt

# What globals cannot have is named: a coroutine.
cat >co.lua <<'LUA'
t = { co = coroutine.create(function() coroutine.yield() end) }
coroutine.resume(t.co)
ckpt.exit()
LUA
expect_exit 85 "$CKPTLUA" co.lua
expect_exit 3 "$CKPTLUA" --resume globals co.lua
expect_message 'co.ckpt cannot be continued: t.co: a coroutine is not kept by --resume globals'
expect_exit 0 "$CKPTLUA" co.lua

# Shared upvalues of functions in a job of globals from its start.
cat >shared.lua <<'LUA'
if not t then
  local x = 1
  t = { f = function() x = x + 1; return x end }
  do
    local up = function() return x end
    local x = x + 10
    t.both = function() x = x + 1; return up(), x, t end
  end
end
local up, x = t.both()
print(t.f(), up, x)
if ckpt.resumed < 2 then ckpt.exit() end
LUA
for edit in 's/^if not t/if  not t/' 's/^print/print  /' ''; do
    expect_exit "$([ -z "$edit" ] && echo 0 || echo 85)" "$CKPTLUA" --quiet --resume globals shared.lua
    cat "$out" >>all
    sed "$edit" shared.lua >edited
    mv edited shared.lua
done
printf '2\t1\t12\n3\t2\t13\n4\t3\t14\n' | cmp - all || fail "upvalues are not shared as they were"
