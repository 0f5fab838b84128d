#!/bin/sh
# --fresh starts over, and keeps what was there as FILE.old.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >job.lua <<'LUA'
n = (n or 0) + 1
print("ran", n)
checkpoint(true)
checkpoint(true)
if n < 5 then ckpt.exit() end
LUA
expect_exit 85 "$CKPTLUA" job.lua
expect_exit 85 "$CKPTLUA" job.lua
cp job.ckpt second
expect_exit 85 "$CKPTLUA" --fresh job.lua
expect_output 'ran	1'
expect_message 'run the same command again'
expect_no_message continuing 'is not there'
expect_same second job.ckpt.old
# Rotation does not touch it, and the old generations do not come between the new ones.
expect_exit 85 "$CKPTLUA" --generations 9 job.lua
expect_output 'ran	2'
expect_same second job.ckpt.old
[ "$(value job.ckpt.4 n)" = 1 ] || fail 'a generation is missing'
expect_no_file job.ckpt.5
# Nor does fallback.
for file in job.ckpt job.ckpt.?; do
    echo damaged >"$file"
done
cp second job.ckpt.old
expect_exit 3 "$CKPTLUA" job.lua
expect_same second job.ckpt.old
# It is an ordinary snapshot: renamed, it continues.
rm job.ckpt job.ckpt.?
mv job.ckpt.old job.ckpt
expect_exit 85 "$CKPTLUA" job.lua
expect_output 'ran	3'

# From what cannot be used, too: another job's, a damaged one, a text.
rm -f job.ckpt*
echo text >job.ckpt
expect_exit 85 "$CKPTLUA" --fresh job.lua
[ "$(cat job.ckpt.old)" = text ] || fail 'the text is gone'
expect_exit 85 "$CKPTLUA" --fresh job.lua other arguments
expect_output 'ran	1'

# With nothing there it is an ordinary start; an older FILE.old stays.
rm -f job.ckpt*
echo older >job.ckpt.old
expect_exit 85 "$CKPTLUA" --fresh job.lua
[ "$(cat job.ckpt.old)" = older ] || fail 'nothing has replaced FILE.old'
rm job.ckpt*
expect_exit 85 "$CKPTLUA" --fresh job.lua
expect_no_file job.ckpt.old
rm job.ckpt*
cp second job.ckpt.1
expect_exit 85 "$CKPTLUA" --fresh job.lua
expect_output 'ran	1'
expect_no_message 'a fresh start'

# An error in the script is found before the snapshot is set aside.
expect_exit 85 "$CKPTLUA" job.lua
cp job.ckpt kept
echo 'while do' >job.lua
expect_exit 2 "$CKPTLUA" --fresh job.lua
expect_same kept job.ckpt
