#!/bin/sh
# The run that follows a killed one tells when that was last seen and how much of its work is lost.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
command -v python3 >/dev/null || skip 'there is no python3'

cat >job.lua <<'LUA'
i = i or 0
if i == 0 then ckpt.mark("start") end
while true do
  i = i + 1
  ckpt.sleep(0.02)
  checkpoint()
end
LUA

# runs PYTHON-CONDITION...: of the list of runs in the snapshot
runs()
{
    for condition; do
        "$CKPTLUA" inspect --json job.ckpt >all.json
        RUNS_CONDITION=$condition python3 - <<'PYTHON' || fail "$("$CKPTLUA" inspect job.ckpt)"
import json, os, sys
header = json.load(open("all.json"))["header"]
runs = header["runs"]
for run in runs:
    assert run["start"] > 1e9 and run.get("end", 1e99) >= run["start"], run
    assert run.get("lost", 0) >= 0, run
sys.exit(not eval(os.environ["RUNS_CONDITION"]))
PYTHON
    done
    rm all.json
}

# ends [OPTION...]: one more run, which saves and ends
ends()
{
    expect_exit 85 "$CKPTLUA" --interval 4s --exit-after 100ms "$@" job.lua
}

# has_lived SECONDS SINCE: the last sign of life in the lock file came so long after the start of its
# run, which was later than SINCE, and after the last save
has_lived()
{
    python3 - "$@" <<'PYTHON'
import os, sys
data = open("job.ckpt.lock", "rb").read()[384:]
head, _, rest = data.partition(b"\n")
if not head.startswith(b"mark "):
    sys.exit(1)
fields = rest[:int(head.split()[1])].decode().splitlines()[-1].split()
start, seen = int(fields[2]) / 1e6, int(fields[3]) / 1e6
saved = os.path.getmtime("job.ckpt")
sys.exit(start < float(sys.argv[2]) or seen - max(start, saved) < float(sys.argv[1]))
PYTHON
}

# is_killed SECONDS: one more run, which is killed when it was seen alive then
is_killed()
{
    since=$(date +%s)
    start "$CKPTLUA" --interval 4s job.lua
    wait_for 60 test -e job.ckpt
    sleep "$1"
    rounds=100
    until has_lived "$1" "$since"; do
        rounds=$((rounds - 1))
        [ "$rounds" -gt 0 ] || fail 'it gives no sign of life'
        sleep 0.3
    done
    kill_hard
}

# Killed when it has saved. Signs of life come each second.
is_killed 2
ends
runs 'len(runs) == 2 and header["run"] == 2' 'runs[0]["ended"] == "killed"' \
    '1 < runs[0]["lost"] < 60' '1 < runs[0]["end"] - runs[0]["start"] < 60' \
    'runs[0]["end"] < runs[1]["start"]' 'runs[1]["ended"] == "exit-after had passed"' \
    '"lost" not in runs[1]'
"$CKPTLUA" inspect job.ckpt | grep -q '^runs  *1  .*-[0-9:]*  killed; [0-9.m ]*s of work lost$' ||
    fail 'inspect does not tell what was lost'

# Killed before they had saved, one after the other; a run that cannot start is none.
is_killed 1.5
expect_exit 2 "$CKPTLUA" --output /nowhere/at/all job.lua
is_killed 0.5
ends
expect_message 'run 5)'
runs 'len(runs) == 5 and header["run"] == 5 and header["resumed"] == 2' \
    '[run["ended"] for run in runs[2:4]] == ["killed", "killed"]' \
    'runs[2]["host"] == runs[3]["host"] == runs[4]["host"]' \
    '1 < runs[2]["lost"] < 60 and 0 < runs[3]["lost"] < 60' \
    'runs[2]["end"] - runs[2]["start"] >= runs[2]["lost"] - 0.5' \
    'runs[1]["end"] <= runs[2]["start"] < runs[2]["end"] < runs[3]["start"] < runs[3]["end"]' \
    'runs[0]["lost"] > 1'
header job.ckpt '5 runs'
only_scripts_and job.ckpt job.ckpt.1 job.ckpt@start

# One that fails is not taken for killed. (Word of it stays where the lock file does, which it does here
# for the sake of the output.)
cp job.lua good.lua
echo 'ckpt.sleep(0.3) error("no")' >job.lua
code=0
"$CKPTLUA" job.lua >>lines 2>"$err" || code=$?
[ "$code" = 1 ] || fail "exit code $code, not 1"
expect_file job.ckpt.lock
mv good.lua job.lua
ends
runs 'runs[5]["ended"] == "ended without a save"' '0.2 < runs[5]["lost"] < 60'
rm lines

# Nobody saw it: the lock file is gone, or damaged.
for damage in rm truncate flip; do
    rm -f job.ckpt job.ckpt.1
    is_killed 0.5
    case $damage in
    rm) rm job.ckpt.lock ;;
    truncate) : >job.ckpt.lock ;;
    flip) sed 's/^\([0-9a-f]\{32\}\) 1 [0-9]/\1 1 7/' job.ckpt.lock >lock && mv lock job.ckpt.lock ;;
    esac
    ends
    runs 'len(runs) == 2 and runs[0]["ended"] == "killed"' '"lost" not in runs[0]' \
        '"end" not in runs[0]'
done

# What is behind a mark that one goes back to is given up, not lost.
is_killed 1.5
ends --from start
runs '"lost" not in runs[0]'

# Another life's mark.
rm -f job.ckpt job.ckpt.1 job.ckpt@start
is_killed 1.5
rm -f job.ckpt job.ckpt.1 job.ckpt@start
ends
runs 'len(runs) == 1'
