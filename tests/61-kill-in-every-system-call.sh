#!/bin/sh
# A run is killed, or gets an error, at each of its system calls that matter for files: there is the
# old snapshot or the new one, and the same command goes on to the right results. Of the calls it is
# every third, which ones is decided by CKPTLUA_TEST_SEED; all with fault_stride=1.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
can_trace || skip 'strace is not there, or may not follow processes here'
[ "${CKPTLUA_SANITIZED:-0}" != 1 ] || skip 'it takes long, and what is killed frees nothing'
seed=${CKPTLUA_TEST_SEED:-$(($(date +%s%N) / 1000 % 1000000007))}
echo "seed $seed: CKPTLUA_TEST_SEED=$seed replays it"
stride=${fault_stride:-3}
series=$seed

cat >job.lua <<'LUA'
n = n or 0
if n == 0 then f = assert(io.open("file", "w")) end
while n < 4 do
  n = n + 1
  assert(f:write("line ", n, "\n"))
  local log = assert(io.open("log", "a"))
  assert(log:write("line ", n, "\n"))
  assert(log:close())
  print("line", n)
  local before, tries = ckpt.saves, 0
  if n % 2 == 0 then checkpoint(true) end
  while n % 2 == 0 and ckpt.saves == before and tries < 30 do -- a child saves
    tries = tries + 1
    ckpt.sleep(0.01)
    checkpoint()
  end
end
assert(f:close())
LUA
seq -f 'line %g' 4 >lines
tr ' ' '\t' <lines >printed

run()
{
    "$@" "$CKPTLUA" --interval never --save $save job.lua >>stdout 2>"$err"
}

# check: whatever has happened, all that is there is whole, and the job can be brought to its end.
check()
{
    for snapshot in job.ckpt job.ckpt.1; do
        [ ! -e $snapshot ] || "$CKPTLUA" inspect $snapshot n >"$out" 2>&1 || fail "$last: $snapshot: $(cat "$out")"
        case $([ ! -e $snapshot ] || cat "$out") in
        '' | 'n = 2' | 'n = 4') ;;
        *) fail "$last: $snapshot has $(cat "$out")" ;;
        esac
    done
    # It has told of the error before it had saved anything: a user starts over.
    if { [ "$code" = 1 ] || [ "$code" = 4 ]; } && [ ! -e job.ckpt ] && [ ! -e job.ckpt.lock ]; then
        rm -f file log stdout
    fi
    # It had ended well and taken its snapshot away, and was killed before it could say so.
    if [ "$code" = 137 ] && [ ! -e job.ckpt ] && cmp -s printed stdout && cmp -s lines log; then
        code=0
        rm -f job.ckpt.lock
    fi
    runs=0
    while [ "$code" != 0 ]; do
        runs=$((runs + 1))
        [ $runs -lt 4 ] || fail "$last: it cannot be continued: exit code $code"
        code=0
        run env || code=$?
    done
    expect_same lines file
    expect_same lines log
    expect_same printed stdout
    rm -f file log stdout
    # A first save that failed behind its last step is there, and was taken for an older job's.
    case $last in *error=*) rm -f job.ckpt.old ;; esac
    no_leftovers job.lua lines printed
}

# fault CALL WHAT: at one such call of a run after the other, until there are no more of them. Each
# series begins at another one.
fault()
{
    series=$((series + 1))
    when=$((series % stride + 1 - stride))
    while :; do
        when=$((when + stride))
        last="--save $save, $1 number $when: $2"
        code=0
        run strace -f -qq -o "$scratch/trace" -e "trace=$1" -e "inject=$1:$2:when=$when" || code=$?
        hit=0
        ! grep -q -e INJECTED -e 'killed by SIGKILL' "$scratch/trace" || hit=1
        check
        [ $hit = 1 ] || break
        [ $when -lt 500 ] || fail 'there is no end to it'
    done
    faults=$((faults + (when - 1) / stride))
}

# What a save names is on disk before it, in this order; -y has the names of descriptors.
cat >order.lua <<'LUA'
f = assert(io.open("file", "w"))
f:write("open")
local log = assert(io.open("log", "a"))
log:write("closed")
log:close()
checkpoint(true)
f:write("open")
log = assert(io.open("log", "a"))
log:write("closed")
log:close()
print("printed")
checkpoint(true)
os.exit(9)
LUA
expect_exit 9 strace -f -y -qq -o "$scratch/trace" "$CKPTLUA" --quiet --interval never --save inline order.lua
grep -n -E '(fsync|fdatasync|close|rename|renameat2?|link|linkat)\(' "$scratch/trace" >calls

# line PATTERN: the number of the last call like it.
line()
{
    found=$(sed -n "/$1/s/:.*//p" calls | tail -n 1)
    [ -n "$found" ] || fail "there is no call like $1: $(cat calls)"
    echo "$found"
}
here=$(pwd -P | sed 's|/|[/]|g')
before=0
for call in 'sync([0-9]*<.*[/]log>' 'sync([0-9]*<.*[/]order.ckpt.tmp>' 'link(.*"[^"]*order.ckpt"' \
    'rename.*order.ckpt.tmp".*order.ckpt"' "fsync([0-9]*<$here>"; do
    after=$(line "$call")
    [ "$after" -gt "$before" ] || fail "$call comes too early: $(cat calls)"
    before=$after
done
[ "$(line 'sync([0-9]*<.*[/]file>')" -lt "$(line 'sync([0-9]*<.*[/]order.ckpt.tmp>')" ] ||
    fail 'file is not synced before the snapshot'
[ "$(line "sync([0-9]*<.*[/]out>")" -lt "$(line 'sync([0-9]*<.*[/]order.ckpt.tmp>')" ] ||
    fail 'stdout is not synced before the snapshot'
rm -f order.* calls file log

faults=0
for save in inline fork; do
    for call in write pwrite64 fsync fdatasync rename link ftruncate; do
        fault $call signal=KILL
        fault $call error=EIO
    done
    fault write error=ENOSPC
    fault link error=ENOSPC
    for call in unlink openat close; do
        fault $call signal=KILL
    done
done
echo "$faults faults"
[ $((faults * stride)) -gt 100 ] || fail 'too few faults'
