#!/bin/sh
# Files that the job first appended to behind the snapshot it continues from: an older generation, as
# FILE is damaged, or a mark. No line is there twice.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
CKPTLUA_SAVE=inline
export CKPTLUA_INTERVAL CKPTLUA_SAVE

# Each step appends to a file, which three steps share; from step 4 on a handle stays open too. One
# of the files was there before the job. It is saved behind each step, and leaves marks.
cat >steps.lua <<'LUA'
last, how = tonumber(os.getenv("LAST")), os.getenv("HOW")
n = n or 0
while n < 12 do
  n = n + 1
  local log = assert(io.open("log" .. (n + 2) // 3, "a"))
  log:write("step ", n, "\n")
  log:close()
  if n == 4 then h = assert(io.open("open", "a")) end
  if h then h:write("step ", n, "\n") end
  if n == 2 or n == 6 then ckpt.mark("m" .. n) else checkpoint(true) end
  if n == last and how ~= "end" then
    if how == "exit" then os.exit(9) end
    -- More than was saved.
    local log = assert(io.open("log" .. (n + 3) // 3, "a"))
    log:write("lost\n")
    log:close()
    local late = assert(io.open("late", "a"))
    late:write("lost\n")
    late:close()
    if h then h:write("lost\n") h:flush() end
    local self = io.open("/proc/self/stat")
    local pid = self:read("n")
    self:close()
    os.execute("kill -KILL " .. math.tointeger(pid))
    while true do end
  end
end
LUA

# fresh: nothing is there but what was there before the job.
fresh()
{
    rm -f log? open late steps.ckpt*
    echo before >log2
}

check()
{
    for log in 1 2 3 4; do
        { [ $log != 2 ] || echo before; seq -f 'step %g' $((3 * log - 2)) $((3 * log)); } >expected
        expect_same expected log$log
    done
    seq -f 'step %g' 4 12 >expected
    expect_same expected open
    expect_no_file late
}

damage()
{
    printf '\377\376' | dd of="$1" bs=1 seek=200 conv=notrunc 2>/dev/null
}

# run HOW LAST [OPTION...]: as far as that step, where it is killed, or exits; or to the end.
run()
{
    how=$1
    last_step=$2
    shift 2
    case $how in
    kill) expected_code=137 ;;
    exit) expected_code=9 ;;
    end) expected_code=0 ;;
    esac
    expect_exit "$expected_code" env LAST="$last_step" HOW="$how" "$CKPTLUA" "$@" steps.lua
}

# FILE as it is, damaged, and the newest two of three; killed once more on the way.
for first in kill exit; do
    for step in 1 3 4 7; do
        for damaged in '' 'steps.ckpt' 'steps.ckpt steps.ckpt.1'; do
            # shellcheck disable=SC2086 # words
            set -- $damaged
            [ $# -lt $step ] || continue
            fresh
            run $first $step --generations 3
            for file; do damage "$file"; done
            run kill $((step + 1)) --generations 3
            run end 12 --generations 3
            check
        done
    done
done
# With two generations as well; the lock file stays for as long as one of them needs what it tells.
fresh
run exit 8
expect_no_file steps.ckpt.lock
fresh
run exit 7
expect_file steps.ckpt.lock
damage steps.ckpt
run kill 9
damage steps.ckpt
run end 12
check
only_scripts_and expected log1 log2 log3 log4 open steps.ckpt.bad steps.ckpt@m2 steps.ckpt@m6

# A mark, as often as one likes, behind a run that was killed or has ended, also where FILE is
# damaged meanwhile.
for first in kill exit; do
    for step in 3 7; do
        for mark in 2 6; do
            [ $mark -le $step ] || continue
            fresh
            run $first $step
            run kill $((mark + 3)) --from m$mark
            run kill $((mark + 1)) --from m$mark
            damage steps.ckpt
            run kill $((mark + 5)) --from m$mark
            run end 12 --from m$mark --on-finish keep
            check
            run end 12 --from m$mark
            check
        done
    done
done

# A snapshot of the first version, which does not tell what files were before the job.
cat >first.lua <<'LUA'
n = n or 0
while n < 4 do
  n = n + 1
  local log = assert(io.open("log", "a"))
  log:write("step ", n, "\n")
  log:close()
  h = h or assert(io.open("out", "w"))
  h:write("step ", n, "\n")
  if n == 2 then ckpt.mark("m") end
  if n == 3 then ckpt.exit() end
end
LUA
rm -f -- log* open expected steps.*
for from in '' --from=m; do
    cp "$source/tests/golden/job-1.bin" first.ckpt
    cp first.ckpt first.ckpt@m
    printf 'step 1\nstep 2\nlost\n' >log
    cp log out
    # shellcheck disable=SC2086 # none or one
    expect_exit 85 "$CKPTLUA" $from first.lua
    expect_exit 0 "$CKPTLUA" first.lua
    seq -f 'step %g' 4 >expected
    expect_same expected log
    expect_same expected out
done
