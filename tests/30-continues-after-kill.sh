#!/bin/sh
# A job that is killed goes on from its last save: nothing lost, nothing twice, nothing left behind.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
last = tonumber(arg[1])
i = i or 0
while i < last do
  i = i + 1
  print(i)
  io.stdout:flush()
  ckpt.sleep(0.01)
  checkpoint()
end
LUA

# Undisturbed: not a word, not a file.
expect_exit 0 "$CKPTLUA" --interval 50ms job.lua 30
expect_lines 1 30 "$out"
expect_silence
no_leftovers job.lua

has_saves()
{
    [ "$("$CKPTLUA" inspect --json job.ckpt 2>/dev/null | sed -n 's/.*"generation": *\([0-9]*\).*/\1/p')" -ge "$1" ] 2>/dev/null
}

# Killed three times.
for kill in 1 2 3; do
    start_with lines "$CKPTLUA" --interval 50ms job.lua 400
    wait_for 120 has_saves $((kill * 3))
    kill_hard
    expect_file job.ckpt job.ckpt.1 job.ckpt.lock
    header job.ckpt 'checksum good' 'job.lua'
done
echo half a save >job.ckpt.tmp
echo half a link >job.ckpt.1.tmp
start_with lines "$CKPTLUA" --interval 50ms job.lua 400
wait_for 120 grep -q continuing "$err"
expect_no_file job.ckpt.tmp job.ckpt.1.tmp
expect_end 0
expect_message 'ckptlua: continuing job.lua from job.ckpt (saved ' ' of work done, run 4)'
[ "$(grep -cv 'stderr has been emptied' "$err")" -eq 1 ] || fail 'more than one line'
expect_lines 1 400 lines
no_leftovers job.lua lines
rm lines

# Killed before the first save: it starts over, and the lines of the first run are there twice, as
# nothing was saved of where they ended.
start_with lines "$CKPTLUA" --interval 1h job.lua 40
wait_for 120 grep -q 3 lines
kill_hard
expect_no_file job.ckpt
expect_exit 0 "$CKPTLUA" job.lua 20
expect_lines 1 20 "$out"
expect_silence
no_leftovers job.lua lines
rm lines

# On another machine: what is needed are the script, its files and the snapshot.
start_with lines "$CKPTLUA" --interval 50ms job.lua 200
wait_for_file job.ckpt.1
kill_hard
mkdir elsewhere
cp job.lua job.ckpt lines elsewhere
rm -f job.ckpt* lines
cd elsewhere
"$CKPTLUA" job.lua 200 >>lines 2>"$err"
expect_message 'continuing job.lua from job.ckpt'
expect_lines 1 200 lines
no_leftovers job.lua lines
cd ..
rm -r elsewhere

# The script by another path, from another folder, with the snapshot named.
mkdir a b
start_with lines "$CKPTLUA" --interval 50ms --snapshot a/state job.lua 100
wait_for_file a/state.1
kill_hard
cd b
"$CKPTLUA" --snapshot ../a/state ../job.lua 100 >>../lines 2>"$err"
cd ..
expect_lines 1 100 lines
rmdir a b || fail 'something is in a or b'

# Any name of a script; without .lua too.
cp job.lua 'a job.x'
expect_exit 85 "$CKPTLUA" --exit-after 300ms 'a job.x' 100000
expect_file 'a job.x.ckpt'
expect_exit 85 "$CKPTLUA" --exit-after 100ms 'a job.x' 100000
expect_message 'continuing a job.x from a job.x.ckpt'
