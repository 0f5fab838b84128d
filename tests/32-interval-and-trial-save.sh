#!/bin/sh
# When it saves: the trial save, the interval, and what becomes of a save that is refused.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

milliseconds()
{
    echo $(($(date +%s%N) / 1000000))
}

# took MILLISECONDS: since $before it is at least that long.
took()
{
    [ $(($(milliseconds) - before)) -ge "$1" ] || fail "it took less than $1 ms"
}

# The trial save comes one second after the start, and is a real one.
cat >trial.lua <<'LUA'
n = 0
while not checkpoint() do n = n + 1 end
print(ckpt.saves)
local before = ckpt.saves
for _ = 1, 50 do
  ckpt.sleep(0.01)
  checkpoint()
end
print(ckpt.saves - before)
os.exit(9)
LUA
before=$(milliseconds)
expect_exit 9 "$CKPTLUA" --interval 1h trial.lua
took 1000
expect_output "$(printf '1\n0')"
header trial.ckpt 'generation 1' trial
no_leftovers trial.lua trial.ckpt
rm trial.ckpt

# No trial with never, from the command line, the environment or the script; saves that are asked
# for are made.
cat >never.lua <<'LUA'
if arg[1] == "config" then ckpt.config{ interval = "never" } end
for _ = 1, 180 do
  ckpt.sleep(0.01)
  checkpoint()
end
print(ckpt.saves, checkpoint(true), ckpt.saves)
os.exit(9)
LUA
expect_exit 9 "$CKPTLUA" --interval never never.lua
expect_output '0	true	1'
rm never.ckpt
expect_exit 9 env CKPTLUA_INTERVAL=never "$CKPTLUA" never.lua
expect_output '0	true	1'
rm never.ckpt
expect_exit 9 "$CKPTLUA" never.lua config
expect_output '0	true	1'
rm never.ckpt

# 0: at every checkpoint(). Not due otherwise.
cat >zero.lua <<'LUA'
local count = 0
for _ = 1, 20 do
  if checkpoint() then count = count + 1 end
end
print(count, ckpt.saves)
os.exit(9)
LUA
expect_exit 9 "$CKPTLUA" --interval 0 --save inline zero.lua
expect_output '20	20'
header zero.ckpt 'generation 20' '20 saves'
rm zero.ckpt*
expect_exit 9 "$CKPTLUA" --interval 10h zero.lua
expect_output '0	0'
expect_no_file zero.ckpt

# Between two saves there is at least the interval.
cat >interval.lua <<'LUA'
k = 0
while ckpt.saves < tonumber(arg[1]) do
  ckpt.sleep(0.001)
  checkpoint()
end
os.exit(9)
LUA
before=$(milliseconds)
expect_exit 9 "$CKPTLUA" --interval 150ms --save inline interval.lua 6
took 750
header interval.ckpt 'because the interval had passed'
rm interval.ckpt*
before=$(milliseconds)
expect_exit 9 "$CKPTLUA" --interval auto interval.lua 2
took 2000
rm interval.ckpt*

# What cannot be saved ends the job, though only after 5 s of trying, and names it.
cat >refused.lua <<'LUA'
count = 0
state = { list = { 1, { conn = io.tmpfile() } } }
while true do
  count = count + 1
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
before=$(milliseconds)
expect_exit 1 "$CKPTLUA" refused.lua
took 5000
expect_once 'ckptlua: cannot save refused.lua: state.list[2].conn: '
expect_message 'io.tmpfile'
only_scripts_and
# Asked for by a signal: at once, and the code says that a save that had to be was not.
start "$CKPTLUA" refused.lua
wait_for_file refused.ckpt.lock
sleep 0.3
kill -s TERM "$pid"
expect_end 4
expect_message 'ckptlua: cannot save refused.lua: state.list[2].conn: ' 'there is no snapshot yet'
only_scripts_and

# Gone within the 5 s: not a word.
cat >mended.lua <<'LUA'
conn = io.tmpfile()
i = 0
while not checkpoint() do
  ckpt.sleep(0.01)
  i = i + 1
  if i == 200 then conn = nil end
end
print(conn, ckpt.saves)
LUA
expect_exit 0 "$CKPTLUA" mended.lua
expect_output 'nil	1'
expect_silence

# Later: one warning for each cause, the last snapshot stays, and saving goes on when it can.
cat >later.lua <<'LUA'
stage = stage or 1
if ckpt.resumed > 0 then print("from", stage) os.exit(9) end
checkpoint(true)
local function wait(n)
  local target = 0
  for _ = 1, n do
    if not checkpoint(true) then target = target + 1 end
  end
  return target
end
stage = 2
other = {}
for i = 1, 2 do
  other.a = io.tmpfile()
  print(wait(3))
  other.a, other.b = nil, coroutine.create(print)
  print(wait(3))
  other.b = nil
  if i == 1 then
    io.stdout:flush()
    while not io.open("go") do ckpt.sleep(0.01) end
  end
end
stage = 3
print(checkpoint(true))
os.exit(9)
LUA
start "$CKPTLUA" --interval never later.lua
wait_for 60 sh -c "[ \$(wc -l <'$out') = 2 ]"
header later.ckpt 'generation 1'
[ "$(value later.ckpt stage)" = 1 ] || fail 'a refused save has changed the snapshot'
expect_no_file later.ckpt.1
: >go
expect_end 9
expect_output "$(printf '3\n3\n3\n3\ntrue')"
expect_message 'ckptlua: cannot save later.lua: other.a: ' 'ckptlua: cannot save later.lua: other.b: ' \
    'later.ckpt of ' ' is intact; the job goes on)'
[ "$(grep -c 'cannot save' "$err")" -le 4 ] || fail 'it warned more than once for a cause'
[ "$(value later.ckpt stage)" = 3 ] || fail 'it did not save again'
expect_exit 9 "$CKPTLUA" --interval never later.lua
expect_output 'from	3'
lock_may_stay=1 only_scripts_and go later.ckpt later.ckpt.1
rm later.ckpt*

# What may be refused, and what the message calls it.
# refuses NAME TEXT...: an assignment and the place that is named.
refuses()
{
    printf '%s\ncheckpoint(true)\nckpt.exit()\n' "$1" >one.lua
    expect_exit 4 "$CKPTLUA" --interval never one.lua
    shift
    expect_message 'ckptlua: cannot save one.lua: ' "$@"
    only_scripts_and go
}
refuses 'x = coroutine.create(print)' ': x: '
refuses 'x = { y = { ["a b"] = io.tmpfile() } }' ': x.y["a b"]: '
refuses 't = { [io.tmpfile()] = 1 }' ': t' 'io.tmpfile'
refuses 't = { f = load("return 1") }' ': t.f: ' 'function'
refuses 'local up = 1; do local f = load("return 1"); t = { g = { f } } end' ': t.g[1]: '
refuses 'p = io.popen("true")' ': p: ' 'io.popen'
refuses 't = setmetatable({}, { __index = load("return 1") })' ': t' 'ckpt.register'

# A local that a continued job will not have is named, once.
cat >local.lua <<'LUA'
local k = 5
n = 0
for i = 1, 3 do
  n = n + i + k
  checkpoint(true)
end
LUA
expect_exit 0 "$CKPTLUA" --interval never local.lua
expect_once "ckptlua: local 'k' (local.lua:1) is not kept by --resume globals; make it global"
expect_once "local 'i' (local.lua:3)"
expect_exit 0 "$CKPTLUA" --quiet --interval never local.lua
expect_silence
only_scripts_and go
