#!/bin/sh
# One process runs a job; a second one waits a while, then says which, and touches nothing.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
i = i or 0
print("ready")
io.stdout:flush()
while true do
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
start "$CKPTLUA" --interval 20ms job.lua
wait_for_file job.ckpt.1
first=$pid
out=$scratch/out2
err=$scratch/err2
before=$(date +%s%N)
expect_exit 5 "$CKPTLUA" --exit-after 20s job.lua
waited=$((($(date +%s%N) - before) / 1000000))
[ $waited -ge 4900 ] || fail "it waited $waited ms only"
expect_message "ckptlua: job.lua is being run already: process $first on $(hostname) holds job.ckpt.lock"
[ ! -s "$out" ] || fail 'it ran'
! has_ended "$first" || fail 'the first one has ended'
expect_file job.ckpt.lock
# --fresh and --from are no way around it.
expect_exit 5 "$CKPTLUA" --exit-after 20s --fresh job.lua
expect_no_file job.ckpt.old
# Another snapshot is another job.
expect_exit 85 "$CKPTLUA" --snapshot other --exit-after 100ms job.lua
# Through a link it is the same one.
ln -s job.ckpt link
expect_exit 5 "$CKPTLUA" --exit-after 20s --snapshot link job.lua
rm link other*

# One that waits goes on from where the other has stopped, as soon as it has.
start "$CKPTLUA" --exit-after 100ms job.lua
sleep 1
! has_ended || fail 'the second one did not wait'
kill -s TERM "$first"
expect_end 85
expect_message 'continuing job.lua from job.ckpt'
wait_for 60 has_ended "$first"
only_scripts_and job.ckpt job.ckpt.1

# A lock file that is left by a kill holds nobody up.
start "$CKPTLUA" --interval 20ms job.lua
wait_for_output ready
kill_hard
expect_file job.ckpt.lock
before=$(date +%s%N)
expect_exit 85 "$CKPTLUA" --exit-after 100ms job.lua
only_scripts_and job.ckpt job.ckpt.1

# Things in the lock's place.
rm -f job.ckpt*
mkdir job.ckpt.lock
expect_exit 2 "$CKPTLUA" job.lua
expect_message 'job.ckpt.lock'
rmdir job.ckpt.lock
echo mine >target
ln -s target job.ckpt.lock
expect_exit 2 "$CKPTLUA" job.lua
expect_message 'job.ckpt.lock' 'remove it'
[ "$(cat target)" = mine ] || fail 'what the link points to was changed'
rm target job.ckpt.lock
head -c 10000 /dev/urandom >job.ckpt.lock
expect_exit 85 "$CKPTLUA" --exit-after 50ms job.lua
only_scripts_and job.ckpt
