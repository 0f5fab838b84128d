#!/bin/sh
# What is left after a good end: nothing, an empty snapshot, or a last one that says `finished`.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # sh -c has parameters of its own
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >job.lua <<'LUA'
n = (n or 0) + 1
print("ran", n)
checkpoint(true)
checkpoint(true)
if n == 1 then ckpt.exit() end
if arg[1] then os.exit(tonumber(arg[1])) end
LUA

# remove, the default.
for option in '' --on-finish=remove; do
    expect_exit 85 "$CKPTLUA" $option job.lua
    expect_exit 0 "$CKPTLUA" $option job.lua
    only_scripts_and
done
expect_exit 85 "$CKPTLUA" job.lua 0
expect_exit 0 "$CKPTLUA" job.lua 0
only_scripts_and

# keep: says so at the next start, with the exit code, and does not run.
expect_exit 85 "$CKPTLUA" --on-finish keep job.lua
expect_exit 0 "$CKPTLUA" --on-finish keep job.lua
only_scripts_and job.ckpt
header job.ckpt 'checksum good'
[ "$(value job.ckpt n)" = 2 ] || fail 'the last state is not in it'
cp job.ckpt kept
for option in '' '--on-finish keep' --verbose; do
    # shellcheck disable=SC2086 # words
    expect_exit 0 "$CKPTLUA" $option job.lua
    expect_once 'ckptlua: job.lua has ended already, with exit code 0 (job.ckpt says so); --fresh runs it again'
    [ ! -s "$out" ] || fail 'it ran'
    expect_same kept job.ckpt
    only_scripts_and kept job.ckpt
done
expect_exit 3 "$CKPTLUA" job.lua others
expect_exit 85 "$CKPTLUA" --fresh job.lua
expect_output 'ran	1'
expect_same kept job.ckpt.old
rm kept job.ckpt*
# os.exit(0) is a good end, os.exit(true) too.
cat >ends.lua <<'LUA'
f = io.open("data", "w")
f:write("all of it")
x = 1
local ends = { ["0"] = 0, ["true"] = true, close = 0 }
if arg[1] == "coroutine" then
  coroutine.wrap(function() pcall(os.exit, 0) end)()
end
os.exit(ends[arg[1]], arg[1] == "close")
LUA
for how in 0 true close coroutine; do
    expect_exit 0 "$CKPTLUA" --on-finish keep ends.lua $how
    header ends.ckpt 'checksum good'
    [ "$(cat data)" = 'all of it' ] || fail 'what it wrote is not there'
    expect_exit 0 "$CKPTLUA" ends.lua $how
    expect_message 'has ended already'
    rm ends.ckpt data
done
only_scripts_and
# Another code is no good end: nothing says finished, the last snapshot stays.
expect_exit 85 "$CKPTLUA" --on-finish keep job.lua 7
expect_exit 7 "$CKPTLUA" --on-finish keep job.lua 7
expect_exit 7 "$CKPTLUA" job.lua 7
expect_output 'ran'
expect_file job.ckpt
rm job.ckpt*

# empty.
expect_exit 85 "$CKPTLUA" --on-finish empty job.lua
expect_exit 0 "$CKPTLUA" --on-finish empty job.lua
only_scripts_and job.ckpt
[ ! -s job.ckpt ] || fail 'it is not empty'
expect_exit 85 "$CKPTLUA" job.lua
expect_output 'ran	1'
expect_no_message 'job.ckpt.1'
rm job.ckpt*
expect_exit 2 "$CKPTLUA" --on-finish other job.lua
expect_message 'ckptlua: --on-finish: '

# A job that ended before it had saved anything.
echo 'x = 1' >short.lua
expect_exit 0 "$CKPTLUA" short.lua
only_scripts_and
expect_exit 0 "$CKPTLUA" --on-finish empty short.lua
only_scripts_and short.ckpt
rm short.ckpt
expect_exit 0 "$CKPTLUA" --on-finish keep short.lua
[ "$(value short.ckpt x)" = 1 ] || fail 'not kept'
rm short.ckpt
# What cannot be saved is then no good end.
echo 'x = io.tmpfile()' >unsaved.lua
expect_exit 4 "$CKPTLUA" --on-finish keep unsaved.lua
expect_message 'x: ' 'io.tmpfile'
only_scripts_and

# stdout on a full device at the end: the snapshot is there to continue from.
if [ -c /dev/full ]; then
    cat >prints.lua <<'LUA'
checkpoint(true)
print("result")
LUA
    expect_exit 4 sh -c '"$1" prints.lua >/dev/full' sh "$CKPTLUA"
    expect_message 'writing stdout failed' 'run the same command again to continue'
    header prints.ckpt 'checksum good'
    expect_exit 0 "$CKPTLUA" prints.lua
    expect_output result
    expect_message 'continuing prints.lua'
    only_scripts_and
fi

# Files that cannot be closed well are told, and the snapshot stays.
if [ -c /dev/full ]; then
    cat >full.lua <<'LUA'
if ckpt.resumed == 0 then
  checkpoint(true)
  f = io.open("/dev/full", "w")
  f:write("x")
end
LUA
    expect_exit 4 "$CKPTLUA" full.lua
    expect_message '/dev/full' 'o space left on device' 'run the same command again to continue'
    header full.ckpt 'generation 1'
    expect_exit 0 "$CKPTLUA" full.lua
    only_scripts_and
fi

# Finalizers and to-be-closed variables run at the end; what they write is in the output.
cat >final.lua <<'LUA'
local closing <close> = setmetatable({}, { __close = function() print("closed") end })
final = setmetatable({}, { __gc = function() print("collected") end })
print("end")
LUA
expect_exit 0 "$CKPTLUA" final.lua
expect_output "$(printf 'end\nclosed\ncollected')"
# A finalizer that saves does not undo the end.
cat >late.lua <<'LUA'
x = 1
setmetatable({}, { __gc = function() pcall(checkpoint, true) pcall(ckpt.mark, "m") end })
LUA
expect_exit 0 "$CKPTLUA" --on-finish keep late.lua
expect_exit 0 "$CKPTLUA" late.lua
expect_message 'has ended already'

# A signal that comes when the job has ended well does not make an eviction of that.
if [ "${CKPTLUA_SANITIZED:-0}" = 0 ] && can_trace; then
    rm -f late.ckpt
    echo 'ckpt.sleep(1) print("ended")' >ended.lua # long enough to be seen
    start strace -f -o /dev/null -e trace=unlink -e inject=unlink:delay_exit=1000000 \
        "$CKPTLUA" --interval never ended.lua
    wait_for_file ended.ckpt.lock
    process=$(pid_of ended.ckpt)
    wait_for 60 test ! -e ended.ckpt.lock
    kill -s TERM "$process"
    expect_end 0
    only_scripts_and
fi
