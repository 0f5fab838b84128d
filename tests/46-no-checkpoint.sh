#!/bin/sh
# A job that reaches no safe point is warned, and a TERM gets what it can.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
if arg[1] then checkpoint(true) end
print("ready")
io.stdout:flush()
while true do end
LUA
start "$CKPTLUA" --interval 1s job.lua
wait_for 60 grep -q checkpoint "$err"
expect_message 'ckptlua: job.lua has not called checkpoint() in ' 'so nothing is saved'
sleep 2.5
expect_once 'has not called checkpoint()'
before=$(date +%s)
kill -s TERM "$pid"
expect_end 4
[ $(($(date +%s) - before)) -ge 9 ] || fail 'it was not given the 10 s'
expect_message 'ckptlua: job.lua has not called checkpoint() within 10 s of SIGTERM; nothing was saved' \
    'there is no snapshot yet'
# The lock is not taken away: the script works until the process ends.
no_leftovers job.lua job.ckpt.lock

# With a snapshot from before.
start "$CKPTLUA" --interval never job.lua saved
wait_for_output ready
cp job.ckpt kept
kill -s USR1 "$pid"
kill -s TERM "$pid"
expect_end 4
expect_message 'within 10 s of SIG' 'the previous snapshot is intact'
expect_same kept job.ckpt
no_leftovers job.lua job.ckpt job.ckpt.lock kept
expect_no_message 'has not called checkpoint() in '
rm job.ckpt kept

# One that comes to a safe point late, but within the notice, is saved.
cat >late.lua <<'LUA'
print("ready")
io.stdout:flush()
local stop = os.time() + 4
while os.time() < stop do end
checkpoint()
LUA
start "$CKPTLUA" --interval never late.lua
wait_for_output ready
kill -s TERM "$pid"
expect_end 85
header late.ckpt 'SIGTERM'
