#!/bin/sh
# Signals that come while a save is being written.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" = 0 ] || skip 'a preloaded library does not go with the sanitizers'
compiler=$(command -v cc || command -v gcc || command -v clang) || skip 'there is no C compiler'

# fsync stands still as long as there is a file `slow` and the new snapshot is being written.
cat >slow.c <<'C'
#define _GNU_SOURCE
#include <sys/syscall.h>
#include <unistd.h>

int fsync(int descriptor)
{
    while (access("slow", F_OK) == 0 && access("job.ckpt.tmp", F_OK) == 0)
        usleep(10000);
    return (int)syscall(SYS_fsync, descriptor);
}
C
"$compiler" -shared -fPIC -o slow.so slow.c || skip 'the library that slows down fsync cannot be built'

cat >job.lua <<'LUA'
i = i or 0
print("ready", ckpt.resumed)
io.stdout:flush()
while true do
  i = i + 1
  ckpt.sleep(0.005)
  checkpoint()
end
LUA

begin()
{
    rm -f slow
    start env LD_PRELOAD="$PWD/slow.so" "$CKPTLUA" --save inline "$@" job.lua
    wait_for_output ready
}

# TERM in a save by interval: that one is finished, then one is made for the exit.
begin --interval 100ms
wait_for_file job.ckpt.1
: >slow
wait_for_file job.ckpt.tmp
generation=$("$CKPTLUA" inspect job.ckpt | sed -n 's/.*generation \([0-9]*\).*/\1/p')
cp job.ckpt before
kill -s TERM "$pid"
sleep 0.3
! has_ended "$pid" || fail 'it ended in the middle of a save'
expect_same before job.ckpt
rm slow
expect_end 85
header job.ckpt "generation $((generation + 2))" 'because of SIGTERM'
header job.ckpt.1 "generation $((generation + 1))"
expect_no_file job.ckpt.tmp

# All the other signals in the save for TERM: they change nothing.
begin --interval never
: >slow
kill -s TERM "$pid"
wait_for_file job.ckpt.tmp
for signal in TERM USR1 USR2 HUP XCPU INT TERM; do
    kill -s $signal "$pid"
done
rm slow
expect_end 85
header job.ckpt 'because of SIGTERM'
expect_no_file job.ckpt.tmp

# A save that takes longer than the notice is a safe point that was met: it is not cut short.
begin --interval never
: >slow
kill -s TERM "$pid"
wait_for_file job.ckpt.tmp
sleep 12
! has_ended "$pid" || fail 'it was cut short'
rm slow
expect_end 85
header job.ckpt 'because of SIGTERM'

# INT in a save by interval: saved for it, 130.
begin --interval 100ms
: >slow
wait_for_file job.ckpt.tmp
kill -s INT "$pid"
rm slow
expect_end 130
header job.ckpt 'because of SIGINT'

# A second INT in the save for the first stops at once; the snapshot is the one from before.
cp job.ckpt before
begin --interval never
: >slow
kill -s INT "$pid"
wait_for_file job.ckpt.tmp
kill -s INT "$pid"
expect_end 130
expect_message 'stopped at once, without saving'
expect_same before job.ckpt
rm slow
begin --interval never
expect_no_file job.ckpt.tmp
kill -s INT "$pid"
expect_end 130
expect_message 'saved job.ckpt'

# SIGKILL in a save.
cp job.ckpt before
begin --interval 100ms
: >slow
wait_for_file job.ckpt.tmp
cp job.ckpt before
kill_hard
expect_same before job.ckpt
begin --interval never
expect_no_file job.ckpt.tmp
kill -s TERM "$pid"
expect_end 85
