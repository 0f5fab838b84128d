#!/bin/sh
# The functions a script has, one by one.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2034 # loops that only count
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# checkpoint(true), and how often was saved and continued.
cat >counts.lua <<'LUA'
assert(require "ckpt" == ckpt)
print(ckpt.resumed, ckpt.saves, checkpoint(), checkpoint(true), ckpt.saves)
n = (n or 0) + 1
if n < 4 then ckpt.exit() end
print("end", n, ckpt.resumed)
LUA
expect_exit 85 "$CKPTLUA" counts.lua
expect_output '0	0	false	true	1'
expect_message 'exit 85: run the same command again'
expect_exit 85 "$CKPTLUA" counts.lua
expect_output '1	2	false	true	3'
expect_exit 85 "$CKPTLUA" counts.lua
expect_exit 0 "$CKPTLUA" counts.lua
expect_output '3	6	false	true	7' 'end	4	3'
no_leftovers counts.lua

# ckpt.exit(code), and os.exit with the checkpoint code.
cat >exit.lua <<'LUA'
n = (n or 0) + 1
print("n", n)
if n == 1 then ckpt.exit(77) end
if n == 2 then os.exit(85) end
if n == 3 then pcall(ckpt.exit, 3) pcall(ckpt.exit, 256) pcall(ckpt.exit, "x") os.exit(84) end
LUA
expect_exit 77 "$CKPTLUA" exit.lua
expect_message 'exit 77: run the same command again'
expect_exit 85 "$CKPTLUA" exit.lua
expect_output 'n	2'
expect_message 'saved exit.ckpt' 'exit 85'
cp exit.ckpt before
expect_exit 84 "$CKPTLUA" exit.lua
expect_output 'n	3'
expect_no_message 'saved exit.ckpt'
expect_same before exit.ckpt
expect_exit 3 "$CKPTLUA" exit.lua other-arguments
rm exit.ckpt* before

# ckpt.on_resume: once in every process that continues, at the call; not in a fresh one.
cat >resume.lua <<'LUA'
log = log or {}
log[#log + 1] = "start"
ckpt.on_resume(function() log[#log + 1] = "resume " .. ckpt.resumed end)
log[#log + 1] = "behind"
if ckpt.resumed < 2 then ckpt.exit() end
print(table.concat(log, ", "))
LUA
expect_exit 85 "$CKPTLUA" resume.lua
expect_exit 85 "$CKPTLUA" resume.lua
expect_exit 0 "$CKPTLUA" resume.lua
expect_output 'start, behind, start, resume 1, behind, start, resume 2, behind'

# ckpt.on_save: just before each save, all of them, in order; what it changes is in the snapshot.
cat >save.lua <<'LUA'
before = before or {}
ckpt.on_save(function() before[#before + 1] = "a" .. ckpt.saves end)
ckpt.on_save(function() before[#before + 1] = "b" .. ckpt.saves end)
if ckpt.resumed == 0 then
  checkpoint(true)
  checkpoint(true)
  ckpt.exit()
end
print(table.concat(before, " "))
LUA
expect_exit 85 "$CKPTLUA" save.lua
expect_exit 0 "$CKPTLUA" save.lua
expect_output 'a0 b0 a1 b1 a2 b2'

# Neither may save or yield.
cat >inside.lua <<'LUA'
local mode = arg[1]
local function inside()
  if mode == "checkpoint" then checkpoint(true) end
  if mode == "mark" then ckpt.mark("x") end
  if mode == "exit" then ckpt.exit() end
  if mode == "yield" then coroutine.yield() end
end
if ckpt.resumed == 0 and not arg[2] then ckpt.exit() end
if arg[2] then ckpt.on_save(inside) else ckpt.on_resume(inside) end
print(checkpoint(true), ckpt.saves)
LUA
for mode in checkpoint mark exit yield; do
    expect_exit 85 "$CKPTLUA" inside.lua $mode
    cp inside.ckpt before
    expect_exit 1 "$CKPTLUA" inside.lua $mode
    expect_message 'ckptlua: ' 'inside.ckpt keeps the state of'
    expect_same inside.ckpt before
    rm inside.ckpt* before
    expect_exit 0 "$CKPTLUA" inside.lua $mode on_save
    expect_output 'false	0'
    only_scripts_and
done

# ckpt.transient: made at the start and again after each continue, never stored; every reference to
# it is the new value; random numbers are as if its function had not run.
cat >transient.lua <<'LUA'
made = (made or 0) + 1
ckpt.transient("A", function()
  local t = { stamp = os.tmpname and made }
  for i = 1, 10000 do t[i] = math.random() end
  return t
end)
if ckpt.resumed == 0 then
  box = { A, { inner = A } }
  alias = A
end
assert(box[1] == A and box[2].inner == A and alias == A and A.stamp == made and #A == 10000)
print(made, math.random(1000000))
if made < 3 then ckpt.exit() end
LUA
for run in 1 2; do
    expect_exit 85 "$CKPTLUA" --seed 5 transient.lua
    cat "$out" >>drawn
done
expect_exit 0 "$CKPTLUA" --seed 5 transient.lua
cat "$out" >>drawn
cat >plain.lua <<'LUA'
math.randomseed(5)
for made = 1, 3 do print(made, math.random(1000000)) end
LUA
expect_exit 0 "$CKPTLUA" --seed 5 plain.lua
expect_same drawn "$out"
expect_exit 85 "$CKPTLUA" --seed 5 transient.lua
[ "$(wc -c <transient.ckpt)" -lt 4000 ] || fail 'it is stored'
rm transient.ckpt* drawn
cat >key.lua <<'LUA'
ckpt.transient("A", function() return {} end)
t = { [A] = 1 }
ckpt.exit()
LUA
expect_exit 4 "$CKPTLUA" key.lua
expect_message 'cannot save key.lua: t' 'transient'
echo 'ckpt.transient("A", function() end)' >nothing.lua
expect_exit 1 "$CKPTLUA" nothing.lua
expect_message "nothing.lua:1: ckpt.transient: the function for 'A' gave nil"
echo 'ckpt.transient("A", function() error("no input file") end)' >fails.lua
expect_exit 1 "$CKPTLUA" fails.lua
expect_message 'fails.lua:1: no input file'
# The script that continues has it no more.
cat >gone.lua <<'LUA'
local without = io.open("without")
if without then
  without:close()
else
  ckpt.transient("A", function() return { 1 } end)
end
if ckpt.resumed == 0 then
  t = { A }
  ckpt.exit()
end
checkpoint(true)
print(t[1] and t[1][1])
LUA
expect_exit 85 "$CKPTLUA" gone.lua
: >without
expect_exit 1 "$CKPTLUA" gone.lua
expect_message "the global 'A' was there" "the transient 'A', which is not there"
rm without
expect_exit 0 "$CKPTLUA" gone.lua
expect_output 1

# ckpt.mark and --from, as often as one likes.
cat >mark.lua <<'LUA'
step = step or 1
log = log or {}
if step == 1 then
  log[#log + 1] = math.random(1000000)
  step = 2
  print("mark", ckpt.mark("one"), ckpt.saves)
end
if step == 2 then
  log[#log + 1] = math.random(1000000)
  step = 3
  ckpt.mark("two")
end
print(table.concat(log, " "), ckpt.resumed)
local stop = io.open("stop")
if stop then
  stop:close()
  ckpt.exit()
end
LUA
expect_exit 0 "$CKPTLUA" --seed 3 mark.lua
expect_output 'mark	true	1'
sed 1d "$out" | cut -f1 >first
only_scripts_and first mark.ckpt@one mark.ckpt@two
cp mark.ckpt@one one
: >stop
for time in 1 2 3; do
    expect_exit 85 "$CKPTLUA" --from one mark.lua
    cut -f1 "$out" >again
    expect_same first again
    expect_message 'continuing mark.lua from mark.ckpt'
    expect_same one mark.ckpt@one
    header mark.ckpt 'mark.lua'
done
expect_file mark.ckpt.old
# "the snapshot that was there becomes FILE.old"
cp mark.ckpt before
expect_exit 85 "$CKPTLUA" --from two mark.lua
expect_same before mark.ckpt.old
expect_message 'run the same command again'
# The same command again, printed without --from, goes on from FILE.
rm stop
expect_exit 0 "$CKPTLUA" mark.lua
only_scripts_and first again one before mark.ckpt@one mark.ckpt@two mark.ckpt.old
expect_exit 2 "$CKPTLUA" --from three mark.lua
expect_message 'ckptlua: --from three: there is no mark.ckpt@three'
expect_exit 2 "$CKPTLUA" --from one --fresh mark.lua
expect_exit 2 "$CKPTLUA" --from a/b mark.lua
expect_exit 2 "$CKPTLUA" --from '' mark.lua
cp mark.ckpt@one 'mark.ckpt@bad'
printf x | dd of=mark.ckpt@bad bs=1 seek=150 conv=notrunc 2>/dev/null
cp mark.ckpt@two mark.ckpt
expect_exit 3 "$CKPTLUA" --from bad mark.lua
expect_message 'mark.ckpt@bad is damaged'
expect_same mark.ckpt mark.ckpt@two
rm -f mark.ckpt*
for name in '' a/b .. '../x' 'a b' 'a@b'; do
    printf 'ckpt.mark(arg[1])' >badmark.lua
    expect_exit 1 "$CKPTLUA" badmark.lua "$name"
    expect_message 'badmark.lua:1: '
done
rm -f badmark.ckpt* first again one before
only_scripts_and

# ckpt.save and ckpt.load.
cat >save.lua <<'LUA'
x, k, f = { 1, 2.5, { "deep" } }, 7, true
x.self = x
ckpt.save("all.ws", { x = x, y = "s", z = -0.0 })
ckpt.save("some.ws", "x", "k")
x, k = nil, nil
local t = ckpt.load("all.ws")
assert(t.x.self == t.x and t.x[3][1] == "deep" and t.y == "s" and 1 / t.z == -math.huge)
assert(x == nil and k == nil and math.type(t.x[1]) == "integer" and math.type(t.x[2]) == "float")
local a, b = ckpt.load("some.ws", "k", "x")
assert(a == 7 and b.self == b)
for _, call in ipairs {
  function() ckpt.load("none.ws") end,
  function() ckpt.load("all.ws", "nix") end,
  function() ckpt.load("save.lua") end,
  function() ckpt.load(".") end,
  function() ckpt.save("bad.ws", "nix") end,
  function() ckpt.save("bad.ws") end,
  function() ckpt.save("bad.ws", { 1, 2 }) end,
  function() ckpt.save("bad.ws", { c = io.tmpfile() }) end,
  function() ckpt.save("no/where.ws", { c = 1 }) end,
} do
  local fine, message = pcall(call)
  assert(not fine)
  print((message:gsub("\n.*", "")))
end
assert(ckpt.saves == 0)
LUA
expect_exit 0 "$CKPTLUA" save.lua
expect_output 'none.ws: no such file' "there is no 'nix' in all.ws" 'save.lua is not a ckptlua snapshot' \
    "there is no global 'nix'" 'no/where.ws'
only_scripts_and all.ws some.ws
header all.ws x y z
# Under no name may it take the place of the job's own snapshot, and files beside it are not ours.
cat >own.lua <<'LUA'
n = (n or 0) + 1
if n == 1 then
  checkpoint(true)
  for _, name in ipairs { "own.ckpt", "./own.ckpt", arg[1] .. "/own.ckpt", "link" } do
    print(pcall(ckpt.save, name, { x = 1 }))
  end
  ckpt.exit()
end
LUA
ln -s own.ckpt link
expect_exit 85 "$CKPTLUA" own.lua "$PWD"
[ "$(grep -c '^false	.*snapshot of this job' "$out")" = 4 ] || fail 'ckpt.save has taken the snapshot of the job for its file'
expect_exit 0 "$CKPTLUA" own.lua "$PWD"
rm link
for file in data.1 data.2 data.bad data.lock; do
    echo mine >$file
done
echo 'ckpt.save("data", { x = 1 }) ckpt.save("data", { x = 2 }) print(ckpt.load("data", "x"))' >beside.lua
expect_exit 0 "$CKPTLUA" beside.lua
expect_output 2
for file in data.1 data.2 data.bad data.lock; do
    [ "$(cat $file 2>/dev/null)" = mine ] || fail "ckpt.save has taken $file away"
done
rm data*
# A workspace is read whole or not at all.
printf y | dd of=all.ws bs=1 seek=160 conv=notrunc 2>/dev/null
echo 'print(pcall(ckpt.load, "all.ws"))' >damaged.lua
expect_exit 0 "$CKPTLUA" damaged.lua
expect_output 'false' 'all.ws is damaged'
rm ./*.ws

# ckpt.config: defaults that command line and environment override, part of the state.
cat >config.lua <<'LUA'
if ckpt.resumed == 0 then
  ckpt.config{ exit_code = 77, generations = 3, on_finish = "keep", verbose = true }
end
n = (n or 0) + 1
for _ = 1, 5 do checkpoint(true) end
if n < 3 then ckpt.exit() end
LUA
expect_exit 77 "$CKPTLUA" config.lua
expect_message 'saved config.ckpt'
expect_file config.ckpt config.ckpt.1 config.ckpt.2
expect_no_file config.ckpt.3
expect_exit 78 "$CKPTLUA" --exit-code 78 config.lua
expect_exit 0 env CKPTLUA_ON_FINISH=remove "$CKPTLUA" config.lua
only_scripts_and
expect_exit 79 env CKPTLUA_EXIT_CODE=79 "$CKPTLUA" config.lua
rm config.ckpt*
for setting in 'snapshot = "x"' 'resume = "globals"' 'fresh = true' 'from = "x"' 'seed = 1' \
    'intervall = "5s"' 'interval = "5x"' 'interval = {}' 'generations = 0' 'exit_code = 2' 'quiet = 1' \
    '"quiet"' 'on_signal = "TERM"'; do
    echo "ckpt.config{ $setting }" >bad.lua
    expect_exit 1 "$CKPTLUA" bad.lua
    expect_message 'ckptlua: ' 'bad.lua:1: ckpt.config: '
    only_scripts_and
done
cat >late.lua <<'LUA'
ckpt.config{ exit_after = "300ms" }
for _ = 1, 3000 do ckpt.sleep(0.01) checkpoint() end
LUA
expect_exit 85 "$CKPTLUA" late.lua
rm late.ckpt*
cat >late.lua <<'LUA'
ckpt.config{ interval = "50ms" }
for _ = 1, 3000 do
  ckpt.sleep(0.01)
  checkpoint()
  if ckpt.saves == 3 then os.exit(9) end
end
LUA
expect_exit 9 env -u CKPTLUA_INTERVAL "$CKPTLUA" late.lua
rm late.ckpt*
printf 'ckpt.config{ on_signal = "TERM=ignore,USR1=raise" }\nprint("ready") io.stdout:flush()\nwhile true do checkpoint() end' >late.lua
start "$CKPTLUA" late.lua
wait_for_output ready
kill -s TERM "$pid"
kill -s USR1 "$pid"
expect_end 138
rm late.ckpt*

# ckpt.sleep: all of the time, or less if something is due, returning what is left.
cat >sleep.lua <<'LUA'
assert(ckpt.sleep(0.2) == 0)
print("ready")
io.stdout:flush()
left = ckpt.sleep(1000)
print(left > 0 and left < 1000)
checkpoint()
assert(not pcall(ckpt.sleep, -1))
assert(not pcall(ckpt.sleep, "x"))
assert(not pcall(ckpt.sleep, 0 / 0))
LUA
start "$CKPTLUA" sleep.lua
wait_for_output ready
kill -s USR2 "$pid"
expect_end 0
expect_output true
only_scripts_and

# ckpt.progress goes into the header.
cat >progress.lua <<'LUA'
ckpt.progress(3, 7.5, "residual 1e-3")
assert(not pcall(ckpt.progress))
assert(not pcall(ckpt.progress, 1))
assert(not pcall(ckpt.progress, 1, 0))
assert(not pcall(ckpt.progress, 0 / 0, 1))
ckpt.exit()
LUA
expect_exit 85 "$CKPTLUA" progress.lua
header progress.ckpt 'progress   3 of 7.5, residual 1e-3'
expect_no_message '###' '[--'
rm progress.ckpt

# ckpt.register: classes by name, with the script's own, perhaps edited, class afterwards.
cat >class.lua <<'LUA'
Point = {}
Point.__index = Point
function Point.norm(p) return p.x + p.y + (version or 0) end
ckpt.register("Point", Point)
local Hidden = { __index = { tell = function(h) return "hidden " .. h.n end } }
ckpt.register("Hidden", Hidden)
local Saved = { __name = "Saved" }
ckpt.register("Saved", Saved, {
  save = function(o) return tostring(o.a) .. "," .. o.b end,
  load = function(s)
    local a, b = s:match("(.*),(.*)")
    return setmetatable({ a = tonumber(a), b = b, made = true }, Saved)
  end,
})
if ckpt.resumed == 0 then
  p = setmetatable({ x = 1, y = 2 }, Point)
  list = { p, setmetatable({ n = 5 }, Hidden) }
  s = setmetatable({ a = 1, b = "two", c = print }, Saved)
  same = { s, s }
  ckpt.exit()
end
assert(getmetatable(p) == Point and list[1] == p)
print(p:norm(), list[2]:tell(), s.a, s.b, s.c, s.made, same[1] == s and same[2] == s)
assert(getmetatable(s) == Saved)
LUA
expect_exit 85 "$CKPTLUA" class.lua
sed 's/p.x + p.y/10 * p.x + p.y/' class.lua >edited
mv edited class.lua
expect_exit 0 "$CKPTLUA" class.lua
expect_output '12	hidden 5	1	two	nil	true	true'
# A saver that fails, and one that gives what cannot be stored.
for saver in 'error("busy")' 'return io.tmpfile()' 'return { coroutine.create(print) }'; do
    cat >saver.lua <<LUA
local C = {}
ckpt.register("C", C, { save = function() $saver end, load = function() end })
thing = setmetatable({}, C)
ckpt.exit()
LUA
    expect_exit 4 "$CKPTLUA" saver.lua
    expect_message 'cannot save saver.lua: '
    only_scripts_and
done
# A loader that fails: nothing is lost.
cat >loader.lua <<'LUA'
local C = {}
ckpt.register("C", C, { save = function() return "s" end, load = function() error("cannot load") end })
if ckpt.resumed == 0 then
  thing = setmetatable({}, C)
  ckpt.exit()
end
checkpoint(true)
LUA
expect_exit 85 "$CKPTLUA" loader.lua
cp loader.ckpt before
code=0
"$CKPTLUA" loader.lua >"$out" 2>"$err" || code=$?
[ "$code" = 1 ] || [ "$code" = 3 ] || fail "exit code $code"
expect_message 'cannot load'
expect_same before loader.ckpt
lock_may_stay=1 only_scripts_and before loader.ckpt

# The option of ckpt.config that needs the most of it.
echo 'ckpt.config{ output = "to" } print("hello")' >late.lua
expect_exit 0 "$CKPTLUA" late.lua
[ "$(cat to 2>/dev/null)" = hello ] || fail 'output in ckpt.config does nothing'
rm to
