#!/bin/sh
# A script that fails: message and traceback with its own lines, and the last snapshot stays.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >job.lua <<'LUA'
n = 1
local function inner(cfg)
  return cfg.x
end
function outer(...)
  return (inner(...))
end
print("before")
if arg[1] then checkpoint(true) end
outer(nil)
LUA
expect_exit 1 "$CKPTLUA" job.lua
expect_message "ckptlua: job.lua:3: attempt to index a nil value (local 'cfg')" 'stack traceback:' \
    "job.lua:3: in upvalue 'inner'" "job.lua:6: in function 'outer'" 'job.lua:10: in main chunk' \
    'ckptlua: the job failed before its first save'
expect_no_message '[C]: in function'
expect_output before
only_scripts_and
expect_exit 1 "$CKPTLUA" job.lua saved
expect_message 'ckptlua: the job failed; job.ckpt keeps the state of '
header job.ckpt 'generation 1'
only_scripts_and job.ckpt
# Again: the same failure, from the same state, as often as one likes.
cp job.ckpt kept
expect_exit 1 "$CKPTLUA" job.lua saved
expect_message 'continuing job.lua' 'job.lua:3: '
rm job.ckpt* kept

# fails SCRIPT MESSAGE...
fails()
{
    printf '%s\n' "$1" >one.lua
    shift
    expect_exit 1 "$CKPTLUA" one.lua
    expect_message "$@"
    only_scripts_and
}
fails 'error("text")' 'ckptlua: one.lua:1: text'
fails 'error("text", 0)' 'ckptlua: text'
fails 'error("two\nlines", 0)' 'ckptlua: two' 'lines'
fails 'error({})' 'ckptlua: (error object is a table value)' 'one.lua:1: in main chunk'
fails 'error()' 'ckptlua: (error object is a nil value)'
fails 'error(nil)' '(error object is a nil value)'
fails 'error(true)' '(error object is a boolean value)'
fails 'error(42)' 'ckptlua: 42'
fails 'error(print)' '(error object is a function value)'
fails 'error(coroutine.create(print))' '(error object is a thread value)'
fails 'error(setmetatable({}, { __tostring = function() return "its text" end }))' 'ckptlua: its text'
fails 'error(setmetatable({}, { __tostring = function() return 5 end }))' 'error object is a table value'
fails 'error(setmetatable({}, { __tostring = function() error("no") end }))' 'ckptlua: '
fails 'error(("x"):rep(100000), 0)' "$(printf '%01000d' 0 | tr 0 x)"
fails 'local function f() return 1 + f() end f()' 'ckptlua: ' 'stack overflow'
fails 'local t = setmetatable({}, { __index = function(t, k) return t[k] end }) print(t.x)' 'ckptlua: '
fails 'string.rep("x", 1 << 60)' 'ckptlua: '
fails 'coroutine.wrap(function() local x = nil .. "" end)()' 'one.lua:1: attempt to concatenate a nil'
fails 'coroutine.yield(1)' 'attempt to yield from outside a coroutine'
fails 'require "no.such.module"' "one.lua:1: module 'no.such.module' not found"
fails 'dofile("no.such.file")' 'no.such.file'
fails 'assert(load("x ="))' 'unexpected symbol'
fails 'assert(false, "told")' 'ckptlua: one.lua:1: told'
fails 'assert(false, { "told" })' '(error object is a table value)'
fails 'checkpoint = nil; checkpoint()' "global 'checkpoint'"
fails 'print(("x"):bad())' "method 'bad'"
fails 'local x <close> = setmetatable({}, { __close = function() error("at the close") end })' 'at the close'
# Many bytes, and odd ones.
printf 'error("a\\0b\\n\\xff", 0)' >one.lua
expect_exit 1 "$CKPTLUA" one.lua

# error() in on_save: as a save that is refused.
cat >hook.lua <<'LUA'
ckpt.on_save(function() error("not now") end)
print(checkpoint(true))
print(checkpoint(true))
if arg[1] then ckpt.exit() end
LUA
expect_exit 0 "$CKPTLUA" hook.lua
[ "$(cat "$out")" = "$(printf 'false\nfalse')" ] || fail 'it saved'
expect_exit 4 "$CKPTLUA" hook.lua exit
expect_message 'hook.lua:1: not now'
only_scripts_and
cat >hook.lua <<'LUA'
ckpt.on_save(function() error({}) end)
while true do checkpoint() ckpt.sleep(0.05) end
LUA
expect_exit 1 "$CKPTLUA" --interval 1h hook.lua
expect_message 'ckptlua: cannot save hook.lua: '
only_scripts_and
# In on_resume: as any error of the script.
cat >hook.lua <<'LUA'
ckpt.on_resume(function() error("no way back") end)
ckpt.exit()
LUA
expect_exit 85 "$CKPTLUA" hook.lua
cp hook.ckpt kept
expect_exit 1 "$CKPTLUA" hook.lua
expect_message 'ckptlua: hook.lua:1: no way back' 'hook.lua:1: in main chunk' 'hook.ckpt keeps the state of'
expect_same kept hook.ckpt
rm kept hook.ckpt*

# Syntax errors: wrong use.
for text in 'while' 'x = = 1' 'return return' 'goto nowhere' 'local x <foo> = 1' '"unfinished'; do
    printf '\n%s\n' "$text" >one.lua
    expect_exit 2 "$CKPTLUA" one.lua
    expect_message 'ckptlua: one.lua:'
    [ ! -s "$out" ] || fail 'it ran'
    only_scripts_and
done
printf 'x = 1\0 y = 2' >one.lua
expect_exit 2 "$CKPTLUA" one.lua
if command -v luac5.4 >/dev/null; then
    echo 'print(1)' | luac5.4 -o one.lua -
    expect_exit 2 "$CKPTLUA" one.lua
    expect_message 'ckptlua: one.lua is compiled Lua'
fi
: >one.lua
expect_exit 0 "$CKPTLUA" one.lua
printf '#!/usr/bin/env ckptlua\nerror("line 2")' >one.lua
expect_exit 1 "$CKPTLUA" one.lua
expect_message 'one.lua:2: line 2'
printf '\357\273\277print("bom")' >one.lua
expect_exit 0 "$CKPTLUA" one.lua
expect_output bom
only_scripts_and

# os.exit ends the job wherever it is called.
for where in 'pcall(os.exit, C)' 'xpcall(os.exit, print, C)' \
    'coroutine.wrap(function() os.exit(C) end)()' \
    'coroutine.wrap(function() pcall(function() os.exit(C) end) end)()' \
    'table.sort({ 3, 2, 1 }, function() os.exit(C) end)' \
    'string.gsub("x", "x", function() os.exit(C) end)' \
    'for _ in function() os.exit(C) end do end' \
    'setmetatable({}, { __index = function() os.exit(C) end }).x()' \
    'local x <close> = setmetatable({}, { __close = function() print("closed") end }) os.exit(C)' \
    'setmetatable({}, { __gc = function() os.exit(C) end }) collectgarbage()' \
    'load(function() os.exit(C) end)' \
    'require "exits"'; do
    printf 'os.exit(tonumber(arg[1]))' >exits.lua
    for code in 0 7 84; do
        printf 'print("on")\n%s\nprint("not reached")\n' "$where" | sed "s/C)/$code)/g" >one.lua
        expect_exit $code env LUA_PATH='./?.lua' "$CKPTLUA" one.lua $code
        [ "$(cat "$out")" = on ] || fail "it went on after os.exit in $where"
        expect_silence
        only_scripts_and
    done
    # The checkpoint code saves first, also there.
    printf '%s\nprint("not reached")\n' "$where" | sed "s/C)/85)/g" >one.lua
    expect_exit 85 env LUA_PATH='./?.lua' "$CKPTLUA" one.lua 85
    expect_message 'saved one.ckpt'
    [ ! -s "$out" ] || fail "it went on after os.exit(85) in $where"
    rm one.ckpt
done
rm exits.lua
# Other values.
fails 'os.exit("x")' 'one.lua:1: bad argument #1 to '
printf 'os.exit(false)' >one.lua
expect_exit 1 "$CKPTLUA" one.lua
printf 'os.exit(256 + 7)' >one.lua
expect_exit 7 "$CKPTLUA" one.lua
# ckpt.exit inside pcall.
printf 'print(pcall(ckpt.exit))' >one.lua
expect_exit 85 "$CKPTLUA" one.lua
[ ! -s "$out" ] || fail 'it went on'
rm one.ckpt

# Memory that is not there.
if [ "${CKPTLUA_SANITIZED:-0}" != 1 ]; then
    cat >memory.lua <<'LUA'
checkpoint(true)
local t = {}
while true do t[#t + 1] = ("x"):rep(1000000) .. #t end
LUA
    # shellcheck disable=SC2016
    expect_exit 1 sh -c 'ulimit -v 300000; "$1" memory.lua' sh "$CKPTLUA"
    expect_message 'ckptlua: not enough memory' 'memory.ckpt keeps the state of'
    header memory.ckpt 'checksum good'
fi
