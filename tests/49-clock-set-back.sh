#!/bin/sh
# The clock of the machine is set back or forward: the job does not care.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2034,SC2086 # loops that only count, words
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" = 0 ] || skip 'a preloaded library does not go with the sanitizers'
compiler=$(command -v cc || command -v gcc || command -v clang) || skip 'there is no C compiler'

# The wall clock is off by CLOCK_OFFSET seconds, and jumps by CLOCK_JUMP as soon as a file `jump`
# is there.
cat >clock.c <<'C'
#define _GNU_SOURCE
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static long offset(void)
{
    const char *always = getenv("CLOCK_OFFSET"), *jump = getenv("CLOCK_JUMP");
    long seconds = always == NULL ? 0 : atol(always);
    if (jump != NULL && access("jump", F_OK) == 0)
        seconds += atol(jump);
    return seconds;
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    int status = (int)syscall(SYS_clock_gettime, clock, time);
    if (status == 0 && clock == CLOCK_REALTIME)
        time->tv_sec += offset();
    return status;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    struct timespec exact;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &exact);
    time->tv_sec = exact.tv_sec;
    time->tv_usec = exact.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *out)
{
    struct timespec exact;
    clock_gettime(CLOCK_REALTIME, &exact);
    if (out != NULL)
        *out = exact.tv_sec;
    return exact.tv_sec;
}
C
"$compiler" -shared -fPIC -o clock.so clock.c || skip 'the library that moves the clock cannot be built'

# at SECONDS COMMAND...: with the clock off by that much.
at()
{
    seconds=$1
    shift
    env CLOCK_OFFSET="$seconds" LD_PRELOAD="$PWD/clock.so" "$@"
}

cat >job.lua <<'LUA'
i = i or 0
print("ready", os.time())
io.stdout:flush()
while i < 100000 do
  i = i + 1
  ckpt.sleep(0.005)
  checkpoint()
end
LUA
year=31536000
at -$year "$CKPTLUA" --interval never --exit-after 100ms job.lua >"$out" 2>"$err" || true
now=$(date +%s)
then=$(sed -n 's/^ready	//p' "$out")
[ $((now - then)) -gt $((year - 1000)) ] || skip 'the clock of the program cannot be moved'
rm job.ckpt

# Continued in the past, in the future, in the past again.
reached=0
for offset in 0 -$year $year -3600 -999999999; do
    expect_exit 85 at $offset "$CKPTLUA" --interval 20ms --exit-after 300ms job.lua
    expect_no_message 'fail' 'damaged'
    i=$(value job.ckpt i)
    [ "$i" -gt "$reached" ] || fail 'it did not go on'
    reached=$i
    header job.ckpt 'checksum good'
    # No length of time is negative.
    ! grep -E ' -[0-9]' "$scratch/header" >&2 || fail 'inspect tells a negative number'
    ! grep -E ' -[0-9]' "$err" >&2 || fail 'a message tells a negative number'
done

# So it is when the runs were killed, and only the work counts that was done.
for offset in $year -$year 0; do
    start env CLOCK_OFFSET=$offset LD_PRELOAD="$PWD/clock.so" "$CKPTLUA" --interval 4s job.lua
    wait_for 60 test -e job.ckpt.lock
    sleep 1.5
    kill_hard
done
expect_exit 85 "$CKPTLUA" --exit-after 100ms job.lua
header job.ckpt 'killed; ' ' of work lost'
! grep -E ' -[0-9]|[0-9] [hd] .*of work lost' "$scratch/header" >&2 || fail 'inspect tells nonsense'

# It jumps while the job runs: saves come as before.
for jump in -$year $year; do
    rm -f job.ckpt* jump
    start env CLOCK_JUMP=$jump LD_PRELOAD="$PWD/clock.so" "$CKPTLUA" --interval 50ms --save inline job.lua
    wait_for_file job.ckpt.1
    : >jump
    for time in 1 2 3; do
        cp job.ckpt before
        wait_for 60 sh -c '! cmp -s before job.ckpt'
    done
    kill -s TERM "$pid"
    expect_end 85
    header job.ckpt 'checksum good'
done
