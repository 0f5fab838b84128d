#!/bin/sh
# A full disk: the job goes on, the previous snapshot stays, and it is told.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2012 # no odd names here
. "$(dirname "$0")/lib.sh"

mkdir disk
if [ "$(id -u)" -ne 0 ] || ! mount -t tmpfs -o size=1m none disk 2>/dev/null; then
    skip 'no small file system can be mounted here'
fi
trap 'stop_started; umount "$scratch/work/disk"; rm -rf "$scratch"' EXIT

# The state grows from 100 KB to far above what there is room for, when told to.
cat >job.lua <<'LUA'
local function exists(name)
  local f = io.open(name)
  if f then f:close() end
  return f ~= nil
end
big = big or ("x"):rep(100000)
i = i or 0
print("ready", #big)
io.stdout:flush()
while not exists("stop") do
  if #big < 200000 and exists("grow") then big = ("y"):rep(3000000) end
  if #big > 200000 and exists("shrink") then big = ("z"):rep(150000) end
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
LUA
for save in inline fork; do
    start "$CKPTLUA" --interval 200ms --save $save --snapshot disk/state job.lua
    wait_for_file disk/state.1
    : >grow
    wait_for 60 grep -q 'no space left on device' "$err"
    expect_message 'ckptlua: saving to disk/state failed: no space left on device (needed ' ', free ' \
        'disk/state of ' ' is intact; next try in '
    header disk/state 'checksum good'
    header disk/state.1 'checksum good'
    value disk/state big | grep -q x || fail 'it is not the state from before'
    wait_for 60 test ! -e disk/state.tmp
    # A save that has to be.
    kill -s TERM "$pid"
    expect_end 4
    expect_message 'no space left on device' 'is intact'
    rm grow
    [ "$(ls disk | sort | xargs)" = 'state state.1' ] || fail "on the disk: $(ls disk)"
    # From the snapshot that stayed, and when there is room again it saves again.
    start "$CKPTLUA" --interval 200ms --save $save --snapshot disk/state job.lua
    wait_for_output 'ready	100000'
    : >grow
    wait_for 60 grep -q 'no space left on device' "$err"
    : >shrink
    rm grow
    wait_for 60 sh -c "'$CKPTLUA' inspect disk/state big 2>/dev/null | grep -q z"
    : >stop
    expect_end 0
    rm shrink stop
    [ -z "$(ls disk)" ] || fail "on the disk: $(ls disk)"
done

# No room for the first one: still no harm to the job, and a lock file is not needed for it.
head -c 2000000 /dev/zero >disk/filler 2>/dev/null || true
cat >short.lua <<'LUA'
big = ("x"):rep(100000)
print(checkpoint(true))
LUA
expect_exit 0 "$CKPTLUA" --snapshot disk/state short.lua
expect_output false
expect_message 'no space left on device' 'there is no snapshot yet'
[ "$(ls disk)" = filler ] || fail "on the disk: $(ls disk)"
rm disk/filler

# The job's own files: what it writes cannot be made safe, so there is no snapshot that says so.
cat >writes.lua <<'LUA'
f = assert(io.open("disk/out", "w"))
checkpoint(true)
f:write(("x"):rep(3000000))
print(checkpoint(true))
ckpt.exit()
LUA
expect_exit 4 "$CKPTLUA" --snapshot state writes.lua
expect_message 'disk/out'
header state 'generation 1'
expect_exit 4 "$CKPTLUA" --fresh --snapshot state --on-finish keep writes.lua
rm -f disk/out state*
# At the end of the job as well: it has not ended well then.
cat >ends.lua <<'LUA'
f = f or assert(io.open("disk/out", "w"))
if ckpt.resumed == 0 then
  checkpoint(true)
end
f:write(("x"):rep(tonumber(arg[1])))
LUA
expect_exit 4 "$CKPTLUA" --snapshot state ends.lua 3000000
expect_message 'disk/out' 'run the same command again to continue'
header state 'generation 1'
rm -f disk/out state*

# stdout on the full disk.
cat >prints.lua <<'LUA'
checkpoint(true)
for _ = 1, 3000 do print(("x"):rep(1000)) end
LUA
code=0
"$CKPTLUA" --snapshot state prints.lua >disk/out 2>"$err" || code=$?
[ "$code" = 4 ] || fail "exit code $code, not 4"
expect_message 'run the same command again to continue'
header state 'generation 1'
