#!/bin/sh
# --save fork: the child may fail, be killed or be slow; nothing is lost by it, nothing held up.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2034,SC2119 # loops that only count, arguments that may be left out
. "$(dirname "$0")/lib.sh"

# children_of PID: its child processes.
children_of()
{
    for stat in /proc/[0-9]*/stat; do
        { read -r line <"$stat"; } 2>/dev/null || continue
        # shellcheck disable=SC2086 # words
        set -- "$1" ${line##*) }
        [ "$3" != "$1" ] || [ "$2" = Z ] || echo "${line%% *}"
    done
}

# stop_child: $child is a child of $pid, which is saving and stands still.
stop_child()
{
    wait_for 120 catch_child
}

catch_child()
{
    ! has_ended || fail 'the job has ended'
    child=$(children_of "$pid")
    [ -n "$child" ] && kill -STOP "$child" 2>/dev/null || return 1
    [ -e "$saved.tmp" ] && return 0
    kill -CONT "$child" # it has not begun yet, or is done
    return 1
}

# A state of some size, so that a child is there for a while; a and b are always equal in it.
cat >job.lua <<'LUA'
local function exists(name)
  local f = io.open(name)
  if f then f:close() end
  return f ~= nil
end
big = big or { ("x"):rep(15000000), ("y"):rep(15000000) }
a, b = a or 0, b or 0
assert(a == b)
print("ready", ckpt.resumed)
io.stdout:flush()
while not exists("stop") do
  a = a + 1
  ckpt.sleep(0.001)
  b = b + 1
  checkpoint()
end
LUA
saved=job.ckpt

begin()
{
    start "$CKPTLUA" --interval 50ms --save fork job.lua
    wait_for_output ready
}

# Killed: told, the snapshot is intact, and the next one is made.
begin
wait_for_file job.ckpt.1
stop_child
cp job.ckpt before
kill -KILL "$child"
wait_for 60 grep -q 'killed' "$err"
expect_message 'ckptlua: the saving process was killed (SIGKILL); job.ckpt of ' ' is intact; next try in '
header job.ckpt 'checksum good'
wait_for 60 sh -c '! cmp -s before job.ckpt'
header job.ckpt 'checksum good'
rm before

# Only one at a time, and signals do not end it.
stop_child
for signal in TERM INT USR1 USR2 HUP; do
    kill -s "$signal" "$child"
done
sleep 0.5
[ "$(children_of "$pid")" = "$child" ] || fail "these are its children: $(children_of "$pid")"
cp job.ckpt before
kill -CONT "$child"
while ! has_ended "$child"; do
    kill -s INT "$child" 2>/dev/null || true
done
wait_for 60 sh -c '! cmp -s before job.ckpt'
expect_no_message 'the saving process failed'
[ "$(grep -c killed "$err")" = 1 ] || fail 'a signal has ended the child'
rm before

# A final save waits for it.
stop_child
kill -s TERM "$pid"
sleep 0.3
! has_ended || fail 'it did not wait for the child'
generation=$("$CKPTLUA" inspect job.ckpt | sed -n 's/.*generation \([0-9]*\).*/\1/p')
kill -CONT "$child"
expect_end 85
header job.ckpt "generation $((generation + 2))" 'because of SIGTERM'
header job.ckpt.1 "generation $((generation + 1))"
only_scripts_and job.ckpt job.ckpt.1

# The parent is killed while the child saves: the child goes with it, and the job can be continued
# at once.
for time in 1 2 3; do
    begin
    stop_child
    kill_hard
    wait_for 60 has_ended "$child"
    expect_exit 85 "$CKPTLUA" --exit-after 50ms job.lua
    expect_message 'continuing job.lua'
    only_scripts_and job.ckpt job.ckpt.1
done

# At the end a child that is still at it is not waited for.
begin
stop_child
: >stop
expect_end 0
wait_for 60 has_ended "$child"
only_scripts_and stop
rm stop

# What cannot be saved is found by the child, and told as ever.
cat >refused.lua <<'LUA'
state = { conn = io.tmpfile() }
while true do
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
expect_exit 1 "$CKPTLUA" --save fork --interval 100ms refused.lua
expect_once 'ckptlua: cannot save refused.lua: state.conn: '
only_scripts_and

# checkpoint(true) saves this state, not the one that a child is saving already.
cat >asked.lua <<'LUA'
big = ("x"):rep(30000000)
for i = 1, 5 do
  last = i
  assert(checkpoint(true))
end
print("asked")
io.stdout:flush()
while true do ckpt.sleep(1) end
LUA
start "$CKPTLUA" --save fork --interval never asked.lua
wait_for_output asked
saves_five()
{
    [ "$(value asked.ckpt last 2>/dev/null)" = 5 ]
}
wait_for 60 saves_five
kill_hard
rm asked.ckpt*

# auto: the same results.
cat >count.lua <<'LUA'
i = i or 0
keep = keep or {}
while i < 300 do
  i = i + 1
  keep[i] = ("x"):rep(20000) .. i
  ckpt.sleep(0.001)
  print(i)
  checkpoint()
end
LUA
for save in auto fork inline; do
    rm -f lines
    runs=0
    while code=0; "$CKPTLUA" --save $save --interval 10ms --exit-after 100ms count.lua >>lines 2>"$err" || code=$?
          [ "$code" = 85 ]; do
        runs=$((runs + 1))
        [ $runs -lt 1000 ] || fail 'it does not come to an end'
    done
    [ "$code" = 0 ] || fail "exit code $code"
    expect_lines 1 300 lines
    only_scripts_and lines
done
expect_exit 2 "$CKPTLUA" --save other count.lua
expect_message 'ckptlua: --save: '

# What checkpoint(true) said is saved is there when the job fails right then, or ends by a code that is
# no good end.
cat >fails.lua <<'LUA'
big = {}
for i = 1, 100000 do big[i] = { i, tostring(i) } end
n = 7
assert(checkpoint(true))
if arg[1] == "exit" then os.exit(9) end
error("fails")
LUA
for how in exit error; do
    code=9
    [ $how = exit ] || code=1
    expect_exit $code "$CKPTLUA" --save fork --interval never fails.lua $how
    [ "$(value fails.ckpt n)" = 7 ] || fail 'the save is lost'
    rm -f fails.ckpt*
done
