#!/bin/sh
# Killed at random moments, again and again: what it prints and writes is that of a job that was
# never disturbed. CKPTLUA_TEST_SEED replays one series of kills.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2086,SC2119 # words, arguments that may be left out
. "$(dirname "$0")/lib.sh"
: "${torture_kills:=40}"

seed=${CKPTLUA_TEST_SEED:-$(($(date +%s%N) / 1000 % 1000000007))}
echo "seed $seed: CKPTLUA_TEST_SEED=$seed replays it"
state=$seed

# draw N: sets $drawn to a number from 0 to N - 1.
draw()
{
    state=$(((state * 1103515245 + 12345) & 2147483647))
    drawn=$(((state / 65536) % $1))
}

cat >job.lua <<'LUA'
local steps = 600
n = n or 0
if n == 0 then
  out = assert(io.open("out.txt", "w"))
  list, index, sum = {}, {}, 0
  class = { __index = { tell = function(o) return o.x + o.y end } }
end
ckpt.register("Class", { __index = { tell = function(o) return o.x + o.y end } })
ckpt.transient("A", function()
  local a = {}
  for i = 1, 100 do a[i] = math.random() end
  return a
end)
while n < steps do
  n = n + 1
  local x = math.random(1000000)
  list[#list + 1] = { x = x, before = list[#list], text = ("%d "):rep(20):format(table.unpack(
    { x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x, x })) }
  index["k" .. x % 1000] = list[#list]
  sum = (sum * 31 + x) % 1000000007
  print(n, x, sum)
  assert(out:write(n, " ", x, "\n"))
  local log = assert(io.open("log.txt", "a"))
  assert(log:write(n, " ", sum, "\n"))
  assert(log:close())
  if n % 100 == 0 then
    local result = assert(io.open("result" .. n // 100 .. ".txt", "w"))
    assert(result:write(sum, " ", math.random(), "\n"))
    assert(result:close())
  end
  if n % 7 == 0 then io.stdout:flush() end
  ckpt.sleep(0.0005)
  checkpoint()
end
local o, count, total = list[#list], 0, 0
while o do
  count, total = count + 1, total + #o.text
  o = o.before
end
for key, value in pairs(index) do
  assert(key == "k" .. value.x % 1000 and list[value.x] == nil or list[value.x])
  count = count + 1
end
assert(A[1] and #A == 100)
assert(out:close())
print("end", count, total, sum, math.random())
LUA
sed -i '/^  class = /d' job.lua

# files: all that the job has written.
files='out.txt log.txt result1.txt result2.txt result3.txt result4.txt result5.txt result6.txt'

kills=0
saved_kills=0
job=0
while [ $kills -lt "$torture_kills" ]; do
    job=$((job + 1))
    rm -rf undisturbed
    mkdir undisturbed
    cp job.lua undisturbed
    # shellcheck disable=SC2086 # words
    rm -f stdout $files
    # A log that was there before is part of it.
    draw 2
    if [ "$drawn" = 1 ]; then
        echo 'from before' >log.txt
        cp log.txt undisturbed
    fi
    (cd undisturbed && "$CKPTLUA" --quiet --interval 1h --seed $job job.lua >stdout) ||
        fail 'the undisturbed run has failed'
    runs=0
    while :; do
        runs=$((runs + 1))
        [ $runs -lt 400 ] || fail 'it makes no progress'
        draw 4
        case $drawn in
        0) interval=0 ;;
        1) interval=10ms ;;
        2) interval=40ms ;;
        *) interval=100ms ;;
        esac
        draw 3
        case $drawn in
        0) save=inline ;;
        1) save=fork ;;
        *) save=auto ;;
        esac
        draw 5
        generations=$((drawn + 1))
        draw 400
        pause=$drawn
        draw 4
        signal=KILL
        [ "$drawn" != 3 ] || signal=TERM
        last="run $runs of job $job: --interval $interval --save $save --generations $generations, \
SIG$signal after $pause ms"
        "$CKPTLUA" --quiet --interval $interval --save $save --generations $generations --seed $job job.lua \
            >>stdout 2>"$err" &
        pid=$!
        started=$pid
        if [ $kills -lt "$torture_kills" ]; then
            sleep "0.$(printf %03d "$pause")"
            if ! has_ended; then
                kill -s $signal "$pid" 2>/dev/null && kills=$((kills + 1))
                [ ! -e job.ckpt ] || saved_kills=$((saved_kills + 1))
            fi
        fi
        wait_for 120 has_ended
        code=0
        wait "$pid" 2>/dev/null || code=$?
        case $code in
        0) break ;;
        137 | 143) # Killed when all was done and its snapshot had been removed: docs/limits.md.
            if [ ! -e job.ckpt ] && [ ! -e job.ckpt.1 ] && cmp -s undisturbed/stdout stdout; then
                rm -f job.ckpt.lock
                break
            fi
            ;;
        85) ;;
        *) fail "exit code $code" ;;
        esac
    done
    for file in stdout $files; do
        expect_same undisturbed/$file "$file"
    done
    # shellcheck disable=SC2086
    no_leftovers job.lua undisturbed stdout $files
done
echo "$kills kills of $job jobs, $saved_kills with a snapshot there"
[ $((saved_kills * 2)) -gt "$kills" ] || fail 'too few kills have found a snapshot'
