#!/bin/sh
# A folder in which nothing can be made.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
can_be_unprivileged || skip 'another user cannot be had, or may not read the program'

cat >job.lua <<'LUA'
i = (i or 0) + 1
print("ran", i)
if i == 1 then checkpoint(true) end
ckpt.exit()
LUA
chmod 555 .
expect_exit 2 unprivileged "$CKPTLUA" job.lua
expect_message 'ckptlua: cannot make the lock file job.ckpt.lock: ' 'ermission denied' '--snapshot'
[ ! -s "$out" ] || fail 'it ran'
no_leftovers job.lua

# Elsewhere it can.
mkdir "$scratch/elsewhere"
chmod 777 "$scratch/elsewhere"
expect_exit 85 unprivileged "$CKPTLUA" --snapshot "$scratch/elsewhere/state" job.lua
expect_exit 85 unprivileged "$CKPTLUA" --snapshot "$scratch/elsewhere/state" job.lua
expect_output 'ran	2'
no_leftovers job.lua

# It becomes unwritable while the job runs: told, and the snapshot stays.
chmod 777 .
cat >run.lua <<'LUA'
i = i or 0
checkpoint(true)
print("ready")
io.stdout:flush()
while true do
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
chmod 644 ./*.lua
start unprivileged "$CKPTLUA" --interval 100ms run.lua
wait_for_output ready
chmod 555 .
wait_for 60 grep -q 'saving to run.ckpt failed' "$err"
expect_message 'is intact; next try in'
job=$(pid_of run.ckpt)
kill -s TERM "$job"
expect_end 4
expect_message 'ckptlua: saving to run.ckpt failed: ' 'ermission denied'
header run.ckpt 'checksum good'
chmod 777 .

# A script or a snapshot that may not be read.
rm -f run.ckpt*
chmod 000 run.lua
expect_exit 2 unprivileged "$CKPTLUA" run.lua
expect_message 'ckptlua: run.lua: ' 'ermission denied'
chmod 644 run.lua
expect_exit 85 unprivileged "$CKPTLUA" --exit-after 50ms run.lua
chmod 000 run.ckpt
expect_exit 3 unprivileged "$CKPTLUA" run.lua
expect_message 'run.ckpt' 'ermission denied'
expect_no_file run.ckpt.bad run.ckpt.lock
