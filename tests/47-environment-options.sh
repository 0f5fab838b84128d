#!/bin/sh
# Every option from the environment; the command line wins.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2086 # words
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
n = (n or 0) + 1
print("ran", n, math.random(1000000))
checkpoint(true)
checkpoint(true)
checkpoint(true)
if n == 1 then ckpt.exit() end
LUA
with()
{
    code=$1
    shift
    expect_exit "$code" env CKPTLUA_INTERVAL=never "$@" "$CKPTLUA" $options job.lua
}
options=

with 85 CKPTLUA_SNAPSHOT=state
expect_file state
expect_no_file job.ckpt
rm state*
with 85 CKPTLUA_GENERATIONS=1
expect_no_file job.ckpt.1
rm job.ckpt*
with 77 CKPTLUA_EXIT_CODE=77
with 85 CKPTLUA_EXIT_CODE=78 CKPTLUA_FRESH=1 CKPTLUA_EXIT_CODE=85
expect_output 'ran	1'
expect_file job.ckpt.old
with 0 CKPTLUA_FRESH=0
expect_output 'ran	2'
rm -f job.ckpt*
with 85 CKPTLUA_SEED=5
cp "$out" first
rm job.ckpt*
with 85 CKPTLUA_SEED=5
expect_same first "$out"
with 0 CKPTLUA_ON_FINISH=keep
with 0 A=1
expect_message 'has ended already'
rm job.ckpt* first
with 85 CKPTLUA_OUTPUT=to
grep -q 'ran	1' to || fail 'output did not go to the file'
rm to job.ckpt*
with 85 CKPTLUA_QUIET=1
expect_silence
rm job.ckpt*
with 85 CKPTLUA_VERBOSE=1
[ "$(grep -c 'ckptlua: saved job.ckpt' "$err")" = 4 ] || fail 'it did not tell of every save'
rm job.ckpt*
with 85 CKPTLUA_SAVE=fork CKPTLUA_RESUME=globals CKPTLUA_EXIT_AFTER=1h CKPTLUA_ON_SIGNAL=TERM=continue
rm job.ckpt*
with 85 CKPTLUA_PROGRESS=0
rm job.ckpt*
with 85 CKPTLUA_DETERMINISTIC=1
expect_message 'ckptlua: --deterministic is ignored: it needs --resume exact'
rm job.ckpt*
with 85 CKPTLUA_DETERMINISTIC=0
rm job.ckpt*
echo 'while true do ckpt.sleep(0.01) checkpoint() end' >forever.lua
expect_exit 85 env CKPTLUA_EXIT_AFTER=100ms "$CKPTLUA" forever.lua
rm forever*

# The command line wins, whichever way round.
options='--exit-code 79'
with 79 CKPTLUA_EXIT_CODE=78
rm job.ckpt*
options='--exit-code=79 --snapshot=mine'
with 79 CKPTLUA_EXIT_CODE=USR2 CKPTLUA_SNAPSHOT=theirs
expect_file mine
expect_no_file theirs
rm mine*
options=

# Values that are none: told with where they are from.
for setting in INTERVAL=5x EXIT_AFTER=x EXIT_CODE=3 GENERATIONS=0 SEED=x ON_SIGNAL=TERM ON_FINISH=no SAVE=no \
    RESUME=no QUIET=yes SNAPSHOT= OUTPUT= FROM=a/b; do
    with 2 "CKPTLUA_$setting"
    expect_message 'ckptlua: --' "CKPTLUA_${setting%%=*}"
    [ "$(wc -l <"$err")" = 1 ] || fail 'not one line'
    no_leftovers job.lua
done
with 2 CKPTLUA_RESUME=middle
expect_message "'middle' is not exact or globals"
# The command line does not make it right.
options='--exit-code 79'
with 2 CKPTLUA_EXIT_CODE=3
no_leftovers job.lua
