#!/bin/sh
# --deterministic, the default: garbage is collected at the same moments in each run, with saves or without, and
# in runs that go on from a snapshot.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

[ "$CKPTLUA_SANITIZED" = 0 ] || skip 'memory comes from malloc in builds with sanitizers'

# Prints the step at which each finalizer runs, and what weak tables have lost.
cat >job.lua <<'LUA'
local rounds = tonumber(arg[1])
local step, lines, ran = 0, {}, 0
local function say(...) lines[#lines + 1] = table.concat({ ... }, " ") end
local final = { __gc = function(o)
  ran = ran + 1
  if ran % 16 == 0 then say("gc", o.name, "at", step) end
end }
local values, keys = setmetatable({}, { __mode = "v" }), {}
local kept, waste = {}, nil
local function deep(n) return n == 0 and { n } or { deep(n - 1), n } end
local function coroutine_of(n)
  return coroutine.wrap(function(a)
    for i = 1, n do
      local t = { a, i }
      a = coroutine.yield(t)
    end
    return "end"
  end)
end
for round = 1, rounds do
  step = round
  local object = setmetatable({ name = round, data = { round } }, final)
  values[round % 50] = object
  keys["key" .. round % 97] = round % 3 == 0 and { round } or nil
  kept[round % 200 + 1] = round % 5 == 0 and { object, deep(10) } or false
  local co = coroutine_of(3)
  waste = { co(1), co(2), waste and waste[1] }
  if round % 7 == 0 then
    local f = load("local n = ... return function() n = n + 1 return n end")
    waste[4] = f(round)()
    waste[5] = { pcall(error, { code = round }) }
    waste[6] = ("long string "):rep(20) .. round
  end
  if round % 50 == 0 then
    local list = {}
    for i = 1, 300 do list[i] = { (i * 7919 + round) % 1009 } end
    table.sort(list, function(a, b) return a[1] < b[1] end)
    local text = {}
    for i = 1, 2000 do text[i] = "s" .. i .. "/" .. round end
    waste[7] = #table.concat(text)
  end
  if round % 100 == 0 then
    local count, order = 0, {}
    for _ in pairs(values) do count = count + 1 end
    for k in pairs(keys) do order[#order + 1] = k:sub(4) end
    say("round", round, ran, count, table.concat(order, " "))
    print(table.concat(lines, "\n"))
    lines = {}
  end
end
collectgarbage("stop")
os.exit(0, false)
LUA

run()
{
    "$CKPTLUA" --quiet --seed 1 "$@"
}

# Two undisturbed runs.
rounds=12000
expect_exit 0 run --interval never job.lua $rounds
cp "$out" undisturbed
grep -q '^gc' undisturbed || fail 'no finalizer has run'
expect_exit 0 env SOMETHING=in-the-environment "$CKPTLUA" --quiet --seed 1 --interval never job.lua $rounds
expect_same undisturbed "$out"

# With saves.
for save in inline fork; do
    expect_exit 0 run --interval 5ms --save $save job.lua $rounds
    expect_same undisturbed "$out"
done

# In pieces, which end anywhere.
: >printed
pieces=0
code=85
while [ $code = 85 ]; do
    code=0
    run --interval never --exit-after $((pieces % 7 * 30 + 60))ms job.lua $rounds >>printed 2>"$err" || code=$?
    pieces=$((pieces + 1))
done
[ $code = 0 ] || fail "exit code $code"
[ $pieces -gt 1 ] || fail "$pieces pieces"
expect_same undisturbed printed
rm -f job.ckpt*

# What a register holds that nothing reads any more is garbage.
cat >registers.lua <<'LUA'
local weak, cycles = setmetatable({}, { __mode = "k" }), 0
local function watch()
  setmetatable({}, { __gc = function() cycles = cycles + 1 watch() end })
end
local function make()
  local a, b, c = {}, {}, {}
  weak[a], weak[b], weak[c] = 1, 1, 1
end
local function left()
  make()
  local before, waste = cycles, nil
  while cycles == before do waste = { waste and 1 } end
  local count = 0
  for _ in pairs(weak) do count = count + 1 end
  return count, (function(...) return select("#", ...) end)(1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12)
end
watch()
print(left())
local co = coroutine.wrap(function() coroutine.yield(left()) make() coroutine.yield() print(left()) end)
print(co())
co()
print(left())
co()
LUA
expect_exit 0 run registers.lua
printf '0\t12\n0\t12\n0\t12\n0\t12\n' | cmp - "$out" || fail 'registers keep something alive'

# collectgarbage means what it always does.
cat >asks.lua <<'LUA'
local save = ckpt and ckpt.exit or function() end
local weak = setmetatable({ {} }, { __mode = "v" })
print(collectgarbage(), #weak)
weak[1] = {}
print(type(collectgarbage("step")), #weak)
print(collectgarbage("isrunning"), collectgarbage("stop"), collectgarbage("isrunning"))
save()
print(collectgarbage("isrunning"), collectgarbage("restart"), collectgarbage("isrunning"))
print(collectgarbage("incremental", 120, 200), collectgarbage("incremental"))
save()
print(collectgarbage("generational"), collectgarbage("generational", 30), collectgarbage("setpause", 160))
print(collectgarbage("setpause", 200), collectgarbage("setstepmul", 100))
print(math.type(collectgarbage("count")), pcall(collectgarbage, "nothing"))
print(pcall(collectgarbage, "step", "many"))
setmetatable({}, { __gc = function() print("in a finalizer", collectgarbage(), collectgarbage("count")) end })
collectgarbage("collect")
setmetatable({}, { __gc = function() print("at the end") end })
LUA
lua5.4 asks.lua >expected
: >printed
for code in 85 85 0; do
    expect_exit $code run asks.lua
    cat "$out" >>printed
done
expect_same expected printed

# A job that has stopped the collector has its memory grow, and one that has not does not; that
# makes strings of which it keeps none, too.
cat >memory.lua <<'LUA'
local text
for i = 1, 3000000 do text = "number " .. i end
print(collectgarbage("count") < 12000)
for i = 1, 1000000 do text = { i } end
print(collectgarbage("count") < 12000)
for i = 1, 300 do text = ("x"):rep(100000) .. i end
print(collectgarbage("count") < 12000)
collectgarbage("stop")
for i = 1, 1000000 do text = { i } end
print(collectgarbage("count") > 50000)
LUA
expect_exit 0 run memory.lua
printf 'true\ntrue\ntrue\ntrue\n' | cmp - "$out" || fail 'other amounts of memory'

# One answer for life.
cat >life.lua <<'LUA'
ckpt.exit()
ckpt.exit()
LUA
expect_exit 85 "$CKPTLUA" life.lua
header life.ckpt 'addresses, moments of the collector'
expect_exit 85 "$CKPTLUA" --deterministic=no life.lua
expect_message '--deterministic=no is ignored: the job was begun with --deterministic'
header life.ckpt 'addresses, moments of the collector'
rm life.ckpt*
expect_exit 85 "$CKPTLUA" --deterministic=no life.lua
header life.ckpt 'not kept: moments of the collector'
expect_exit 85 "$CKPTLUA" life.lua
header life.ckpt 'not kept: moments of the collector'
expect_exit 0 "$CKPTLUA" --deterministic life.lua
expect_message '--deterministic is ignored: the job was begun without it'
expect_exit 0 "$CKPTLUA" --deterministic --resume globals memory.lua
expect_message '--deterministic is ignored: it needs --resume exact'
echo 'ckpt.config{deterministic = true}' >config.lua
expect_exit 1 "$CKPTLUA" config.lua
expect_message "'deterministic' can be set on the command line only"
expect_exit 2 "$CKPTLUA" --deterministic=perhaps config.lua
expect_message "--deterministic: 'perhaps' is not yes or no"
