#!/bin/sh
# ckptlua verify of jobs that cheat: it finds them, tells where and guesses why.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR

# cheats NAME KILLS [OPTION...]: the script on stdin does not pass.
cheats()
{
    name=$1
    kills=$2
    shift 2
    cat >"$name.lua"
    expect_exit 1 "$CKPTLUA" verify --kills "$kills" "$@" "$name.lua"
    expect_silence
    expect_output "Both runs are kept in $PWD/tmp/"
    ls tmp/*/killed/stdout >/dev/null || fail 'they are not'
    rm -r tmp/*
}

# The wall clock.
cheats clock 3 <<'LUA'
i = i or 0
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  if i % 5 == 0 then print(i, os.time(), io.open("/proc/uptime"):read("n")) end
  checkpoint()
end
LUA
grep -Eq '^  stdout +DIFFERS at line [0-9]+, (after kill [0-9] \(SIG(KILL|TERM), .*s into the work\)|before the first kill)$' \
    "$out" || fail 'where?'
expect_output '    undisturbed: ' '    with kills : ' 'clock.lua does not resume exactly: two undisturbed runs differ, too (stdout); ' \
    'something in it depends on the time of day (os.time, clock.lua:5)?'

# Addresses.
cheats address 3 <<'LUA'
i, t = i or 0, t or {}
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  print(i, string.format("%p", t))
  checkpoint()
end
LUA
expect_output 'DIFFERS at line ' 'it printed an address'

# How much memory there is. Addresses that are the same are not the cause.
cheats count 5 <<'LUA'
i = i or 0
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  print(i, "0x123456789", collectgarbage("count"))
  checkpoint()
end
LUA
expect_output 'DIFFERS at line ' "how much memory is in use, ckptlua's own included (collectgarbage 'count', count.lua:5)?"

# A file that is written behind the host's back: appended to, but not cut back.
cheats execute 6 <<'LUA'
i = i or 0
while i < 20 do
  i = i + 1
  os.execute("echo step " .. i .. " >>log.txt")
  ckpt.sleep(0.01)
  if i % 3 == 0 then checkpoint() end
end
print("end")
LUA
expect_output 'stdout       identical (1 line)' 'log.txt      DIFFERS at line ' ', after kill ' \
    'execute.lua does not resume exactly: another program changed a file' '(os.execute, execute.lua:4)?'

# A file that was not there yet when processes were killed.
cheats late 8 <<'LUA'
i = i or 0
while i < 24 do
  i = i + 1
  if i > 12 then os.execute("date +%N >>late.txt") end
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
grep -q '^  late.txt *DIFFERS at line 1, after kill ' "$out" || fail 'after which kill?'

# A loop counter in a local variable, which does not come back.
cheats local 3 --resume globals <<'LUA'
total = total or 0
local k = 0
while k < 20 do
  k = k + 1
  total = total + k
  print(k, total)
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
# Where it begins to differ may be before what the first process had printed when it was killed.
expect_output 'stdout       DIFFERS at line ' 'state        DIFFERS at total'

# Nothing is proven where there was nothing to continue from.
echo 'print("short")' >short.lua
expect_exit 1 "$CKPTLUA" verify short.lua
expect_output 'short.lua is not proven to resume: 0 of 20 kills found a snapshot; it is too short ('
rm -r tmp/*
# A job that fails, or never ends, is told so.
echo 'assert(io.open("missing.txt"))' >fails.lua
expect_exit 1 "$CKPTLUA" verify fails.lua
expect_message 'ckptlua: fails.lua does not even run undisturbed' 'missing.txt: No such file'
echo 'while true do ckpt.sleep(0.01) checkpoint() end' >forever.lua
expect_exit 1 "$CKPTLUA" verify --timeout 300ms forever.lua
expect_message 'ckptlua: forever.lua has not ended after 300ms'
[ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
