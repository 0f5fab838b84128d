#!/bin/sh
# What signals do: save and exit, save and go on, save and die, nothing.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119,SC3045 # arguments that may be left out, dash and bash have it
. "$(dirname "$0")/lib.sh"
ulimit -c 0

cat >job.lua <<'LUA'
i = i or 0
print("ready", ckpt.resumed)
io.stdout:flush()
while not io.open("stop") do
  i = i + 1
  ckpt.sleep(0.01)
  if checkpoint() then
    print("saved")
    io.stdout:flush()
  end
end
LUA

# begin [OPTION...]: a job that saves only when it is told to.
begin()
{
    start "$CKPTLUA" --interval never "$@" job.lua
    wait_for_output ready
}

# The four that ask for an exit, one after the other on one job.
run=0
for signal in TERM USR1 HUP XCPU; do
    begin
    wait_for_output "ready	$run"
    kill -s $signal "$pid"
    expect_end 85
    expect_message 'ckptlua: saved job.ckpt (' '; exit 85: run the same command again to continue'
    expect_once 'saved job.ckpt'
    header job.ckpt "because of SIG$signal" "evicted (SIG$signal)"
    expect_no_file job.ckpt.lock job.ckpt.tmp
    run=$((run + 1))
done
no_leftovers job.lua job.ckpt job.ckpt.1
[ "$(value job.ckpt i)" -ge 4 ] || fail 'nothing was counted'

# USR2 saves, and the job goes on.
begin
kill -s USR2 "$pid"
wait_for_output saved
header job.ckpt 'because of a signal'
! has_ended || fail 'it ended'
cp job.ckpt before
kill -s USR2 "$pid"
wait_for 60 sh -c '! cmp -s job.ckpt before'
: >stop
expect_end 0
no_leftovers job.lua stop before
rm stop before

# INT without a terminal: saved, 130.
begin
kill -s INT "$pid"
expect_end 130
expect_message 'ckptlua: saved job.ckpt (' ' of work); exit 130: run the same command again'
header job.ckpt 'SIGINT' 'stopped from the keyboard'
no_leftovers job.lua job.ckpt
begin
wait_for_output 'ready	1'
kill -s TERM "$pid"
expect_end 85
rm job.ckpt*

# --on-signal.
begin --on-signal TERM=continue
kill -s TERM "$pid"
wait_for_output saved
: >stop
expect_end 0
rm stop

begin --on-signal TERM=ignore,SIGUSR1=continue
kill -s TERM "$pid"
kill -s USR1 "$pid"
wait_for_output saved
: >stop
expect_end 0
no_leftovers job.lua stop
rm stop

begin --on-signal USR2=exit
kill -s USR2 "$pid"
expect_end 85
header job.ckpt 'because of SIGUSR2'
rm job.ckpt*

begin --on-signal INT=exit
kill -s INT "$pid"
expect_end 85
rm job.ckpt*

begin --on-signal INT=ignore
kill -s INT "$pid"
kill -s INT "$pid"
kill -s TERM "$pid"
expect_end 85
rm job.ckpt*

for pair in TERM:143 HUP:129 USR1:138 XCPU:152 USR2:140 INT:130; do
    signal=${pair%:*}
    begin --on-signal "$signal=raise"
    kill -s "$signal" "$pid"
    expect_end "${pair#*:}"
    expect_message "ending by SIG$signal: run the same command again to continue"
    header job.ckpt "evicted (SIG$signal)"
    no_leftovers job.lua job.ckpt
    rm job.ckpt*
done

# By the signal, not by a code that looks like it.
if command -v python3 >/dev/null; then
    expect_exit 0 python3 - <<'PYTHON'
import os, signal, subprocess
for options, send, expected in (
        (["--on-signal", "INT=raise"], signal.SIGINT, -signal.SIGINT),
        (["--on-signal", "TERM=raise"], signal.SIGTERM, -signal.SIGTERM),
        (["--exit-code", "SIGUSR2"], signal.SIGTERM, -signal.SIGUSR2),
        (["--exit-code", "USR2"], signal.SIGTERM, -signal.SIGUSR2),
        (["--exit-code", "77"], signal.SIGTERM, 77)):
    job = subprocess.Popen([os.environ["CKPTLUA"], "--interval", "never"] + options + ["job.lua"],
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert job.stdout.readline().startswith(b"ready"), options
    job.send_signal(send)
    message = job.communicate()[1]
    assert job.returncode == expected, (options, job.returncode, message)
    assert b"saved job.ckpt" in message, message
    os.remove("job.ckpt")
assert not os.path.exists("job.ckpt.lock")
PYTHON
fi

# Exit codes that have a meaning already, and things that are none.
for code in 0 1 2 3 4 5 256 -1 8x '' FOO; do
    expect_exit 2 "$CKPTLUA" --exit-code "$code" job.lua
    expect_message 'ckptlua: --exit-code: '
done
for bad in TERM TERM= TERM=stop KILL=exit =exit 'TERM=exit,' '' 'TERM=exit;HUP=exit'; do
    expect_exit 2 "$CKPTLUA" --on-signal "$bad" job.lua
    expect_message 'ckptlua: --on-signal: '
done
no_leftovers job.lua

# A second INT stops at once a job that reaches no safe point; what was saved before stays.
cat >deaf.lua <<'LUA'
checkpoint(true)
print("deaf")
io.stdout:flush()
while true do end
LUA
start "$CKPTLUA" --interval never deaf.lua
wait_for_output deaf
cp deaf.ckpt before
kill -s INT "$pid"
sleep 0.2
! has_ended || fail 'the first INT stopped it'
kill -s INT "$pid"
expect_end 130
expect_message 'stopped at once, without saving'
expect_same deaf.ckpt before
header deaf.ckpt 'checksum good'
rm deaf.ckpt* before

# --exit-after: saves and exits, in each run.
expect_exit 85 "$CKPTLUA" --interval never --exit-after 200ms job.lua
expect_message 'saved job.ckpt'
header job.ckpt 'exit-after had passed'
expect_exit 77 "$CKPTLUA" --interval never --exit-after 200ms --exit-code 77 job.lua
expect_output 'ready	1'
expect_message 'exit 77: run the same command again'
expect_exit 2 "$CKPTLUA" --exit-after 0 job.lua
no_leftovers job.lua deaf.lua job.ckpt job.ckpt.1
