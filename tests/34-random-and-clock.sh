#!/bin/sh
# Random numbers and os.clock go on where they were; a seed is for life.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2034 # loops that only count
. "$(dirname "$0")/lib.sh"

cat >draw.lua <<'LUA'
n = n or 0
while n < 60 do
  n = n + 1
  print(n, math.random(1000000), math.random(), math.random(0))
  if n % 17 == 0 and arg[1] ~= "through" then ckpt.exit() end
  if n == 30 then math.randomseed(7, 8) end
end
LUA
expect_exit 0 "$CKPTLUA" --seed 42 --snapshot x draw.lua through
cp "$out" through
for run in 1 2 3; do
    code=0
    "$CKPTLUA" --seed 42 draw.lua >>pieces 2>"$err" || code=$?
    [ "$code" = 85 ] || fail "exit code $code"
done
"$CKPTLUA" draw.lua >>pieces 2>"$err"
expect_same through pieces

# The seed of the first run counts; without one it is another each time.
rm pieces
for seed in 42 1 2 3; do
    "$CKPTLUA" --seed $seed draw.lua >>pieces 2>"$err" || true
done
expect_same through pieces
expect_exit 85 "$CKPTLUA" draw.lua
head -1 "$out" >one
header draw.ckpt 'seed '
rm draw.ckpt
expect_exit 85 "$CKPTLUA" draw.lua
head -1 "$out" >two
! cmp -s one two || fail 'two jobs without a seed draw the same'
rm draw.ckpt
expect_exit 85 "$CKPTLUA" --seed -9223372036854775808 draw.lua
header draw.ckpt 'seed -9223372036854775808'
rm draw.ckpt
for seed in x 1.5 9223372036854775808 '' '1 '; do
    expect_exit 2 "$CKPTLUA" --seed "$seed" draw.lua
    expect_message 'ckptlua: --seed: '
done
no_leftovers draw.lua through pieces one two

# os.clock is the processor time of all runs.
cat >clock.lua <<'LUA'
last = last or 0
assert(os.clock() >= last, "os.clock went back")
local stop = os.clock() + 0.2
while os.clock() < stop do end
last = os.clock()
print(last)
if ckpt.resumed < 3 then ckpt.exit() end
assert(last >= 0.8)
LUA
for code in 85 85 85 0; do
    expect_exit $code "$CKPTLUA" clock.lua
done
