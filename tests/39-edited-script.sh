#!/bin/sh
# An edited script goes on with the saved globals, and says so.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >job.lua <<'LUA'
function step(n) return n + 1 end
n = n or 0
while n < 10 do
  n = step(n)
  if n >= 5 and ckpt.resumed == 0 then ckpt.exit() end
end
print(n)
LUA
expect_exit 85 "$CKPTLUA" job.lua
sed 's/n + 1/n + 2/; s/n < 10/n < 20/' job.lua >edited
mv edited job.lua
expect_exit 0 "$CKPTLUA" job.lua
expect_output 21
expect_once 'ckptlua: job.lua has changed since job.ckpt was saved; going on with the saved globals and the new script'
only_scripts_and

# A changed comment is a change; the same text is none, whenever it was written.
expect_exit 85 "$CKPTLUA" job.lua
cp job.lua copy.lua
mv copy.lua job.lua
touch job.lua
cp job.ckpt kept
expect_exit 0 "$CKPTLUA" job.lua
expect_no_message 'has changed'
mv kept job.ckpt
echo '-- a comment' >>job.lua
expect_exit 0 "$CKPTLUA" job.lua
expect_message 'has changed'

# With an error in it now: nothing is lost by trying.
expect_exit 85 "$CKPTLUA" job.lua
cp job.ckpt kept
cp job.lua fine.lua
echo 'while do' >job.lua
expect_exit 2 "$CKPTLUA" job.lua
expect_message 'ckptlua: job.lua:1: '
echo 'error("early")' >job.lua
expect_exit 1 "$CKPTLUA" job.lua
expect_message 'job.ckpt keeps the state of'
: >job.lua.empty
rm job.lua
expect_exit 2 "$CKPTLUA" job.lua
expect_message 'ckptlua: job.lua: no such file'
expect_same kept job.ckpt
rm job.lua.empty
mv fine.lua job.lua
expect_exit 0 "$CKPTLUA" job.lua
expect_output 20
rm kept

# A global function that the new script has no more is told at the first chance.
expect_exit 85 "$CKPTLUA" job.lua
cat >job.lua <<'LUA'
checkpoint()
print(n, step)
LUA
expect_exit 0 "$CKPTLUA" job.lua
expect_message "the global 'step' was there when job.ckpt was saved, and job.lua has not made it again"
only_scripts_and

# A module that is edited: its functions are the new ones.
cat >mod.lua <<'LUA'
local M = {}
function M.f() return "old" end
return M
LUA
cat >use.lua <<'LUA'
local M = require "mod"
if ckpt.resumed == 0 then
  table_of_functions = { M.f }
  ckpt.exit()
end
checkpoint()
print(table_of_functions[1](), table_of_functions[1] == M.f)
LUA
expect_exit 85 env LUA_PATH='./?.lua' "$CKPTLUA" use.lua
sed 's/old/new/' mod.lua >edited
mv edited mod.lua
expect_exit 0 env LUA_PATH='./?.lua' "$CKPTLUA" use.lua
expect_output 'new	true'

# Edited while it runs: the hash is that of the text that runs.
cat >running.lua <<'LUA'
if ckpt.resumed == 0 then
  local f = io.open("running.lua", "a")
  f:write("-- more\n")
  f:close()
  ckpt.exit()
end
LUA
expect_exit 85 "$CKPTLUA" running.lua
expect_exit 0 "$CKPTLUA" running.lua
expect_message 'running.lua has changed since'
