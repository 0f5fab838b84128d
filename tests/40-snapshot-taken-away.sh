#!/bin/sh
# The snapshot is removed or replaced while the job runs.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119,SC2120 # arguments that may be left out
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
local function exists(name)
  local f = io.open(name)
  if f then f:close() end
  return f ~= nil
end
stop = "stop"
i = i or 0
print("ready")
io.stdout:flush()
while not exists(stop) do
  i = i + 1
  ckpt.sleep(0.005)
  checkpoint()
end
LUA

begin()
{
    start "$CKPTLUA" --interval 20ms --save inline "$@" job.lua
    wait_for_file job.ckpt.1
}

end()
{
    : >stop
    expect_end 0
    rm stop
    only_scripts_and "$@"
}

# Removed: the next save makes it again.
begin
rm job.ckpt job.ckpt.1
wait_for_file job.ckpt.1
header job.ckpt 'checksum good'
end

# Removed behind the last save: the job ends well.
start "$CKPTLUA" --interval never job.lua
wait_for_output ready
kill -s USR2 "$pid"
wait_for_file job.ckpt
rm -f job.ckpt
end

# Replaced by a text, by nothing, by a folder.
begin
echo text >job.ckpt.new
mv job.ckpt.new job.ckpt
wait_for 60 "$CKPTLUA" inspect job.ckpt >/dev/null 2>&1
kill_hard
expect_exit 85 "$CKPTLUA" --exit-after 50ms job.lua
rm -f job.ckpt*
begin
: >job.ckpt
wait_for 60 test -s job.ckpt
kill_hard
rm -f job.ckpt*
start "$CKPTLUA" --interval never job.lua
wait_for_output ready
mkdir job.ckpt
echo mine >job.ckpt/file
kill -s TERM "$pid"
expect_end 4
expect_message 'job.ckpt is a directory'
[ "$(cat job.ckpt/file)" = mine ] || fail 'the folder was changed'
rm -r job.ckpt
only_scripts_and

# The lock is removed under a running job; another one may then begin, but what is its lock stays.
begin
rm -f job.ckpt.lock
end

# All of the folder.
mkdir away
cp job.lua away
cd away
start "$CKPTLUA" --interval 20ms --save inline job.lua
wait_for_file job.ckpt.1
cd ..
wait_for 60 rm -rf away 2>/dev/null
sleep 0.2
kill -s TERM "$pid"
expect_end 4
expect_message 'ckptlua: saving to job.ckpt failed'
