#!/bin/sh
# Exact resume as its user sees it: what inspect and export show, an error in on_resume, modules written
# in C.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >job.lua <<'LUA'
local hidden = 1
shown = { 1, 2, 3 }
function double(x) return 2 * x end
walk = coroutine.wrap(function() coroutine.yield() end)
words = string.gmatch("a b", "%a")
local function solve(n)
  for i = 1, n do
    if i == 3 then ckpt.exit() end
  end
end
local co = coroutine.wrap(function()
  solve(5)
end)
co()
LUA
expect_exit 85 "$CKPTLUA" job.lua
expect_exit 0 "$CKPTLUA" inspect job.ckpt
grep -qx "resumes    at job.lua:8, in function 'solve', called from job.lua:12" "$out" ||
    fail 'inspect does not tell where the job goes on'
sed -n '/^globals/,$p' "$out" | sed 's/^globals/       /' >globals
cat >expected <<'EOF'
           double  function  of the script
           shown   table     3 elements
           walk    iterator  wrap
           words   iterator  gmatch
EOF
expect_same globals expected
expect_exit 0 "$CKPTLUA" export job.ckpt out.json
grep -q '"double": *"Lua function of the script"' out.json || fail 'export does not describe a function'
expect_exit 0 "$CKPTLUA" job.lua
rm -f out.json globals expected
only_scripts_and

# A script for globals is told of.
echo 'if ckpt.resumed == 0 then n = 0 end' >resumed.lua
expect_exit 0 "$CKPTLUA" resumed.lua
expect_once 'ckptlua: resumed.lua asks for ckpt.resumed, as scripts for --resume globals do: give that option'
for way in exact globals; do
    expect_exit 0 "$CKPTLUA" --resume $way resumed.lua
    expect_silence
done
rm resumed.lua

# What goes wrong in a function of on_resume is told with the place.
cat >hook.lua <<'LUA'
local function fails() error("no way back") end
ckpt.on_resume(function() fails() end)
ckpt.exit()
LUA
expect_exit 85 "$CKPTLUA" hook.lua
expect_exit 1 "$CKPTLUA" hook.lua
expect_message 'hook.lua:1: no way back' "in upvalue 'fails'" 'hook.lua:2: in function'
rm -f hook.ckpt*

# Modules written in C are loaded again.
if lua5.4 -e 'require "lfs"' 2>/dev/null; then
    cat >module.lua <<'LUA'
local lfs = require "lfs"
local mode = lfs.attributes
local t = { dir = lfs.dir, lfs = lfs }
setmetatable(t, { __index = lfs })
ckpt.exit()
print(mode("module.lua", "mode"), mode == lfs.attributes, t.dir == lfs.dir, require "lfs" == lfs, t.currentdir == lfs.currentdir)
LUA
    expect_exit 85 "$CKPTLUA" module.lua
    cp module.ckpt kept
    expect_exit 0 "$CKPTLUA" module.lua
    expect_output 'file	true	true	true	true'
    cp kept module.ckpt
    expect_exit 3 env LUA_CPATH=/nowhere/?.so "$CKPTLUA" module.lua
    expect_message "module.ckpt cannot be continued: module 'lfs', which is not written in Lua, is not found"
    expect_same kept module.ckpt
    cp kept module.ckpt
    expect_exit 85 "$CKPTLUA" --resume globals module.lua
    rm -f module.ckpt* kept
fi
