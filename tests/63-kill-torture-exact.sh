#!/bin/sh
# Programs without any code for checkpoints, killed at random moments again and again, print and write
# what stock Lua does, and end as there. CKPTLUA_TEST_SEED replays one series of kills.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2086 # words
exact=1
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" != 1 ] || : "${torture_kills:=12}" # programs run slowly then
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

# The programs, in a folder that is copied for each run, with arguments by which one takes about a
# second; without saves, that is, which make it some.
mkdir fresh
cd fresh
cp "$source"/tests/torture/*.lua "$source"/bench/programs/*.lua .
cp "$source/examples/queens.lua" "$source/examples/conjgrad/plain.lua" .
cp "$source/examples/fibonacci/fibonacci.lua" .
expect_exit 0 "$CKPTLUA" "$source/examples/conjgrad/wathen.lua" 30 30
mkdir exact
cp "$source"/tests/exact/scripts/*.lua exact
rm exact/uncaught-table.lua exact/address-*.lua # print addresses
rm exact/order-*.lua        # the seed of hashes decides what they print
LUA_PATH="$source/lua/?.lua"
export LUA_PATH
cd ..
cat >programs <<END
mixed.lua 60
anneal.lua 80 250000
agents.lua 2500
text.lua 15 12000
scheduler.lua 250
fails.lua 30000000
suite.lua 3 $(cd fresh && echo exact/*.lua)
queens.lua 11
plain.lua
fibonacci.lua 1500 0.001
fib.lua 35
closures.lua 2000000
methods.lua 2000000
nbody.lua 400000
sort.lua 100000
spectral.lua 300
strings.lua 200
END

# run_by_lua: $program to its end by stock Lua, in a folder of its own; $expected is its exit code.
run_by_lua()
{
    cp -r fresh by-lua
    cd by-lua
    expected=0
    lua5.4 $program >stdout 2>stderr || expected=$?
    cd ..
    length=$(wc -c <by-lua/stdout)
}

# wait_until_printed: all of it, which is close to the end.
wait_until_printed()
{
    rounds=500
    while [ $rounds -gt 0 ] && ! has_ended && ! has_printed_all; do
        rounds=$((rounds - 1))
        sleep 0.002
    done
}

has_printed_all()
{
    [ "$(wc -c <stdout)" -ge "$length" ]
}

# wait_for_a_save: until its file is there, which is for some milliseconds.
wait_for_a_save()
{
    rounds=20000
    while [ $rounds -gt 0 ] && [ ! -e "$snapshot.tmp" ]; do
        rounds=$((rounds - 1))
    done
}

# wait_for_the_moment: at which it is killed; most are just some time after its start.
wait_for_the_moment()
{
    draw 10
    case $drawn in
    0 | 1) draw 20 ;;
    *) draw 300 ;;
    esac
    sleep "0.$(printf %03d "$drawn")"
    draw 10
    case $drawn in
    0) wait_until_printed ;;
    1 | 2) wait_for_a_save ;;
    esac
}

kills=0
hard_kills=0
saved_kills=0
torn_kills=0
late_kills=0
continued=0

# strike: kills the program with a signal of its own, and counts.
strike()
{
    draw 4
    signal=KILL
    [ "$drawn" != 3 ] || signal=TERM
    ! has_ended || return 0
    kill -s $signal "$pid" 2>/dev/null || return 0
    kills=$((kills + 1))
    job_kills=$((job_kills + 1))
    [ $signal = TERM ] || hard_kills=$((hard_kills + 1))
    [ ! -e "$snapshot" ] || saved_kills=$((saved_kills + 1))
    ! has_printed_all || late_kills=$((late_kills + 1))
}

# run_once: starts or continues $program, perhaps kills it, and sets $code.
run_once()
{
    draw 3
    case $drawn in
    0) interval=10ms ;;
    1) interval=30ms ;;
    *) interval=100ms ;;
    esac
    draw 2
    save=auto
    [ "$drawn" = 0 ] || save=inline
    last="run $runs of job $job, $program: --interval $interval --save $save, $job_kills kills before"
    [ ! -e "$snapshot" ] || continued=$((continued + 1))
    "$CKPTLUA" --quiet --interval $interval --save $save $program >>stdout 2>"$err" &
    pid=$!
    started=$pid
    if [ $hard_kills -lt "$torture_kills" ] && [ $job_kills -lt 60 ]; then
        wait_for_the_moment
        strike
    fi
    wait_for 120 has_ended
    code=0
    wait "$pid" 2>/dev/null || code=$?
    [ $code != 137 ] || [ ! -e "$snapshot.tmp" ] || torn_kills=$((torn_kills + 1))
}

# is_over: it has come to its end by itself. One that was killed behind a good end, when its snapshot
# had gone, has as well: docs/limits.md.
is_over()
{
    case $code in
    "$expected") return 0 ;;
    137 | 143) [ ! -e "$snapshot" ] && cmp -s ../by-lua/stdout stdout && code=$expected ;;
    85) return 1 ;;
    *) fail "exit code $code, not $expected" ;;
    esac
}

# same_as_by_lua: in the folder of the run. Messages of a failed job are the same but for the name of
# the program and a line that tells of the snapshot, which stays.
same_as_by_lua()
{
    if [ "$code" = 0 ]; then
        rm ../by-lua/stderr
    else
        sed -e 's/^ckptlua: /lua5.4: /' -e '/^lua5.4: the job failed; /d' "$err" >stderr
        rm -f "$snapshot" "$snapshot.1"
    fi
    rm -f "$snapshot.lock"
    diff -r ../by-lua . >"$out" || fail "another result than stock Lua's"
}

job=0
draw "$(wc -l <programs)"
first=$drawn
while [ $hard_kills -lt "$torture_kills" ]; do
    program=$(sed -n $(((first + job) % $(wc -l <programs) + 1))p programs)
    snapshot=${program%%.*}.ckpt
    job=$((job + 1))
    run_by_lua
    cp -r fresh run
    cd run
    : >stdout
    runs=0
    job_kills=0
    while :; do
        runs=$((runs + 1))
        [ $runs -lt 1000 ] || fail 'it makes no progress'
        run_once
        ! is_over || break
    done
    same_as_by_lua
    cd ..
    rm -r by-lua run
done
echo "$kills kills of $job programs, $hard_kills of them SIGKILL; $saved_kills with a snapshot there, \
$torn_kills within a save, $late_kills behind the last output; $continued runs were continued"
[ $((saved_kills * 2)) -gt "$kills" ] || fail 'too few kills have found a snapshot'
