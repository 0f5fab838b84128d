#!/bin/sh
# A job without any checkpoint code is saved anywhere, killed, and goes on in the middle of its loops.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
local sum, out = 0, assert(io.open("out.txt", "w"))
local function step(n, ...)
  if n == 0 then return select("#", ...) end
  return (step(n - 1, n, ...))
end
local squares = coroutine.wrap(function() for i = 1, math.huge do coroutine.yield(i * i) end end)
for i = 1, 3000 do
  local ok, err = pcall(function() if i % 100 == 0 then error({ i }) end return i end)
  sum = (sum * 31 + math.random(1000) + step(20) + squares() + (ok and 0 or err[1])) % 1000000007
  out:write(i, " ", sum, "\n")
  if i % 100 == 0 then print(i, sum) ckpt.sleep(0.01) end
end
out:close()
print("end", sum, math.random(100))
LUA

expect_exit 0 "$CKPTLUA" --seed 3 job.lua
cp out.txt expected.txt
cp "$out" expected
no_leftovers job.lua out.txt expected.txt expected

# Killed by SIGKILL, and stopped by SIGTERM, again and again.
runs=0
rm -f printed
: >out.txt
while :; do
    runs=$((runs + 1))
    [ $runs -lt 200 ] || fail 'it makes no progress'
    "$CKPTLUA" --quiet --seed 3 --interval 20ms job.lua >>printed 2>"$err" &
    pid=$!
    # When it has come further than the run before.
    before=$(($(wc -c <out.txt) + 1500))
    while ! has_ended && [ "$(wc -c <out.txt)" -lt $before ]; do
        sleep 0.01
    done
    if [ $((runs % 2)) = 0 ]; then kill -KILL $pid 2>/dev/null || :; else kill $pid 2>/dev/null || :; fi
    code=0
    wait_for 60 has_ended
    wait "$pid" 2>/dev/null || code=$?
    case $code in
    0) break ;;
    85) ;;
    137 | 143) # 143: a TERM when the handlers are not there yet, or not any more.
        # Killed when all was done and its snapshot had been removed: docs/limits.md.
        if [ ! -e job.ckpt ] && [ ! -e job.ckpt.1 ] && cmp -s expected printed; then
            rm -f job.ckpt.lock
            break
        fi
        ;;
    *) fail "exit code $code" ;;
    esac
done
[ $runs -gt 2 ] || fail 'it was never interrupted'
expect_same expected.txt out.txt
expect_same expected printed

# checkpoint and ckpt.exit go on behind their calls.
cat >calls.lua <<'LUA'
for i = 1, 4 do
  print(i, checkpoint(true), ckpt.resumed)
  if i == 2 then ckpt.exit() print("behind exit") end
  if i == 3 then print("mark", ckpt.mark("three")) end
end
LUA
expect_exit 85 "$CKPTLUA" calls.lua
expect_exit 0 "$CKPTLUA" calls.lua
expect_output 'behind exit' '3	true	1'
expect_exit 0 "$CKPTLUA" --from three ./calls.lua # the same script by another name
expect_output 'mark	true' '4	true'

# An edited script is not continued.
expect_exit 85 "$CKPTLUA" --fresh calls.lua
sed -i 's/behind exit/behind/' calls.lua
expect_exit 3 "$CKPTLUA" calls.lua
expect_message 'calls.lua has changed since calls.ckpt was saved (first difference: line 3)' '--fresh'
sed -i 's/"behind"/"behind exit"/' calls.lua
expect_exit 0 "$CKPTLUA" calls.lua

# Transient values are made anew, wherever they are referred to.
cat >transient.lua <<'LUA'
local made = 0
ckpt.transient("A", function() return { tag = "made", n = #arg } end)
local a, t = A, { A }
local function get() return a end
ckpt.on_resume(function() print("resumed", ckpt.resumed) end)
ckpt.exit()
print(a == A, t[1] == A, get() == A, A.tag)
LUA
expect_exit 85 "$CKPTLUA" transient.lua
expect_exit 0 "$CKPTLUA" transient.lua
expect_output 'resumed	1' 'true	true	true	made'

# A save that is due while such a value is made comes when it is there.
cat >slow.lua <<'LUA'
local function work(seconds) local till = os.clock() + seconds while os.clock() < till do end end
ckpt.transient("A", function() work(0.3) return {} end)
work(1)
print(ckpt.saves > 0)
LUA
expect_exit 0 "$CKPTLUA" --interval 20ms slow.lua
expect_output true

# Texts that were loaded go when nothing is left of them.
cat >texts.lua <<'LUA'
for i = 1, 30000 do
  local f = load("return " .. i .. ", '" .. ("x"):rep(200) .. "'")
  assert(f() == i)
  if i % 3000 == 0 then checkpoint(true) end
end
collectgarbage()
print(collectgarbage("count") < 8000)
LUA
for save in inline fork; do
    expect_exit 0 "$CKPTLUA" --save $save texts.lua
    expect_output true
done

# Where nothing can be saved, that is said, and what is the reason.
cat >held.lua <<'LUA'
local t = {}
for i = 1, 100 do t[i] = i end
print("ready") io.stdout:flush()
table.sort(t, function(a, b) local till = os.clock() + 0.5 while os.clock() < till do end return a < b end)
LUA
start "$CKPTLUA" --interval 1h held.lua
wait_for_output ready
kill "$pid"
expect_end 4
expect_message 'held.lua could not be saved within 10 s of SIGTERM, because of ' '(held.lua:4)'

# What cannot be saved is refused by name.
cat >refused.lua <<'LUA'
state = { conn = io.popen("cat") }
ckpt.sleep(60)
LUA
expect_exit 1 "$CKPTLUA" refused.lua
expect_message 'cannot save refused.lua: state.conn:' 'a pipe'
