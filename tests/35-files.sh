#!/bin/sh
# Files the job writes and reads: no line lost, none twice, whatever way they are opened.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # sh -c has parameters of its own
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# die: the script has saved, written more than that, and is then gone at once.
cat >die.lua <<'LUA'
-- luacheck: globals die
function die()
  local self = io.open("/proc/self/stat")
  local pid = self:read("n")
  self:close()
  io.stdout:flush()
  os.execute("kill -KILL " .. math.tointeger(pid))
  while true do end
end
LUA

# run_killed SCRIPT [ARGUMENT...]
run_killed()
{
    code=0
    last="$*"
    "$CKPTLUA" "$@" >"$out" 2>"$err" || code=$?
    [ "$code" = 137 ] || fail "exit code $code, not 137"
}

# All ways of writing, with an open handle over the save and lines behind it.
cat >modes.lua <<'LUA'
dofile("die.lua")
local mode = arg[1]
i = i or 0
if i == 0 then
  if mode:sub(1, 2) == "r+" then
    local f = assert(io.open("file", "w"))
    f:close()
  end
  if mode == "output" then io.output("file") else f = assert(io.open("file", mode)) end
end
local function put(text)
  if mode == "output" then io.write(text) else assert(f:write(text)) end
end
while i < 20 do
  i = i + 1
  put("line " .. i .. "\n")
  if i == 10 then
    checkpoint(true)
    if ckpt.resumed == 0 then
      put("lost\n")
      put(("x"):rep(100000))
      die()
    end
  end
end
if mode == "output" then io.close() else f:close() end
print(io.type(mode == "output" and io.output() or f))
LUA
seq -f 'line %g' 20 >expected
for mode in w a w+ a+ r+ wb ab r+b output; do
    rm -f file
    run_killed modes.lua $mode
    expect_exit 0 "$CKPTLUA" modes.lua $mode
    expect_same expected file
    expect_output 'closed file'
    expect_no_message 'stdin'
    only_scripts_and expected file
done
rm file

# A log that is opened for append and closed at each line, also before the first save, also when
# it was there before the job.
cat >log.lua <<'LUA'
dofile("die.lua")
i = i or 0
while i < 20 do
  i = i + 1
  local log = assert(io.open("log", "a"))
  log:write("line ", i, "\n")
  log:close()
  if i == tonumber(arg[1]) then checkpoint(true) end
  if i == tonumber(arg[2]) and ckpt.resumed < tonumber(arg[3]) and not io.open("died") then
    if arg[3] == "1e9" then io.open("died", "w"):close() end
    die()
  end
end
LUA
for before in '' 'what was there'; do
    for kill in '1 5' '5 7' '5 5' '19 20'; do
        rm -f log
        [ -z "$before" ] || echo "$before" >log
        { [ -z "$before" ] || echo "$before"; cat expected; } >expected-log
        # shellcheck disable=SC2086 # two words
        run_killed log.lua $kill 1
        # shellcheck disable=SC2086
        expect_exit 0 "$CKPTLUA" log.lua $kill 1
        expect_same expected-log log
    done
    # Killed before the first save.
    rm -f log
    [ -z "$before" ] || echo "$before" >log
    run_killed log.lua 15 7 100
    expect_file log.ckpt.lock
    expect_exit 0 "$CKPTLUA" log.lua 15 100 0
    expect_same expected-log log
    only_scripts_and expected expected-log log
done
rm -f log expected-log

# Result files, one of each step, rewritten by the step that is repeated.
cat >results.lua <<'LUA'
dofile("die.lua")
step = step or 1
while step <= 4 do
  local out = assert(io.open("result" .. step, "w"))
  out:write("result of ", step, "\n", math.random(1000000), "\n")
  out:close()
  if step == 3 and ckpt.resumed == 0 then die() end
  step = step + 1
  checkpoint(true)
end
LUA
run_killed --seed 1 --fresh results.lua
for step in 1 2 3; do
    cp result$step before$step
done
expect_exit 0 "$CKPTLUA" results.lua
for step in 1 2 3; do
    expect_same before$step result$step
done
expect_file result4
rm result? before?

# One file that is rewritten at each step: what was saved goes, and one warning says so.
cat >rewrite.lua <<'LUA'
dofile("die.lua")
step = step or 1
while step <= 6 do
  local out = assert(io.open("state", "w"))
  out:write("step ", step, "\n")
  out:close()
  if step == 4 and ckpt.resumed == 0 then die() end
  step = step + 1
  checkpoint(true)
end
LUA
run_killed rewrite.lua
expect_once 'ckptlua: overwriting the '
expect_exit 0 "$CKPTLUA" rewrite.lua
[ "$(cat state)" = 'step 6' ] || fail 'the last state is not there'
rm state

# Shortened or removed between the runs: exit 3 with both lengths, and nothing is changed.
cat >short.lua <<'LUA'
if not f then
  f = io.open("out", "w")
  log = io.open("log", "a")
  log:write("log\n")
  log:close()
  log = nil
  f:write(("x"):rep(1000))
  checkpoint(true)
  f:write("more")
  os.exit(9)
end
f:write("end\n")
f:close()
LUA
expect_exit 9 "$CKPTLUA" short.lua
cp out out.safe
cp short.ckpt short.safe
printf 0123456789 >out
expect_exit 3 "$CKPTLUA" short.lua
expect_message 'ckptlua: short.ckpt cannot be continued: out is 10 bytes long, 1000 were written' \
    'put the file back, or start over with --fresh'
[ "$(cat out)" = 0123456789 ] || fail 'out was changed'
rm out
echo 'more of the log' >>log
expect_exit 3 "$CKPTLUA" short.lua
expect_message 'out is gone' '1000 bytes were written'
expect_no_file out
[ "$(wc -l <log)" = 2 ] || fail 'one file was cut although another is missing'
cp out.safe out
rm log
expect_exit 3 "$CKPTLUA" short.lua
expect_message 'log is gone' '4 bytes were written'
expect_same out.safe out
mkdir log
expect_exit 3 "$CKPTLUA" short.lua
expect_message 'log is not a regular file any more'
rmdir log
expect_same short.safe short.ckpt
only_scripts_and expected out out.safe short.ckpt short.safe
echo log >log
expect_exit 0 "$CKPTLUA" short.lua
[ "$(wc -c <out)" = 1004 ] || fail 'out was not cut back'
rm out out.safe short.safe log
expect_exit 9 "$CKPTLUA" short.lua
rm out
expect_exit 9 "$CKPTLUA" --fresh short.lua
expect_file short.ckpt.old
rm short.ckpt* out log

# Reading goes on where it was: by handle, io.lines, io.input, stdin.
seq 100 >input
cat >read.lua <<'LUA'
local how = arg[1]
sum = sum or 0
count = count or 0
if count == 0 then
  if how == "handle" then h = assert(io.open("input")) end
  if how == "input" then io.input("input") end
end
while true do
  local line
  if how == "handle" then line = h:read("n", "l") else line = io.read("n", "l") end
  if not line then break end
  sum = sum + line
  count = count + 1
  if count % 40 == 0 then ckpt.exit() end
end
print(count, sum)
LUA
for how in handle input stdin; do
    for code in 85 85 0; do
        expect_exit $code "$CKPTLUA" read.lua $how <input
    done
    expect_output '100	5050'
done
expect_exit 85 "$CKPTLUA" read.lua handle
seq 10 >input
expect_exit 3 "$CKPTLUA" read.lua handle
expect_message 'input is 21 bytes long' 'were read when'
rm input
expect_exit 3 "$CKPTLUA" read.lua handle
expect_message 'input is gone'
rm read.ckpt*
# From a pipe: told at the save.
expect_exit 85 sh -c 'seq 100 | "$1" read.lua stdin' sh "$CKPTLUA"
expect_once 'ckptlua: stdin is a pipe'
rm read.ckpt*
# A handle that was only tried is not needed any more.
cat >tried.lua <<'LUA'
n = (n or 0) + 1
if n == 1 then
  local found = io.open("input")
  found = nil
  ckpt.exit()
end
LUA
echo 1 >input
expect_exit 85 "$CKPTLUA" tried.lua
rm input
expect_exit 0 "$CKPTLUA" tried.lua

# What cannot be undone is told, once.
cat >undo.lua <<'LUA'
for i = 1, 3 do
  io.open("file" .. i, "w"):close()
  os.rename("file" .. i, "other" .. i)
  os.remove("other" .. i)
  os.execute("true")
  io.popen("true"):close()
end
LUA
expect_exit 0 "$CKPTLUA" undo.lua
for what in os.rename os.remove os.execute io.popen; do
    expect_once "ckptlua: $what (undo.lua:"
done
expect_message 'docs/limits.md'
expect_exit 0 "$CKPTLUA" --quiet undo.lua
expect_silence

# Output that is still in a buffer when the job ends is not lost, however it ends.
cat >end.lua <<'LUA'
f = io.open("end.out", "w")
f:write("all of it\n")
if arg[1] == "error" then error("x") end
if arg[1] == "coroutine" then coroutine.wrap(function() os.exit(7) end)() end
if arg[1] == "signal" then
  checkpoint(true)
  f:write("and this\n")
end
if arg[1] then os.exit(tonumber(arg[1])) end
LUA
for how in '' 0 7 85 error coroutine; do
    case $how in
    '' | 0) expect_exit 0 "$CKPTLUA" end.lua $how ;;
    error) expect_exit 1 "$CKPTLUA" end.lua error ;;
    coroutine) expect_exit 7 "$CKPTLUA" end.lua coroutine ;;
    *) expect_exit $how "$CKPTLUA" end.lua $how ;;
    esac
    [ "$(cat end.out)" = 'all of it' ] || fail "lost what was in the buffer, ending by: $how"
    rm -f end.out end.ckpt*
done

# The handles themselves: same object everywhere, buffering, closed ones, stdin and stdout.
cat >handles.lua <<'LUA'
if ckpt.resumed == 0 then
  a = io.open("a.txt", "w")
  a:setvbuf("no")
  b = { a, { a } }
  closed = io.open("a.txt")
  closed:close()
  standard = { io.stdout, io.stderr, io.stdin }
  ckpt.exit()
end
assert(b[1] == a and b[2][1] == a)
assert(io.type(closed) == "closed file")
assert(standard[1] == io.stdout and standard[2] == io.stderr and standard[3] == io.stdin)
a:write("hello")
print(io.open("a.txt"):read("a"))
LUA
expect_exit 85 "$CKPTLUA" handles.lua
expect_exit 0 "$CKPTLUA" handles.lua
expect_output hello
rm a.txt

# A name with everything in it, a file in another folder, one known by two names.
cat >names.lua <<'LUA'
dofile("die.lua")
if ckpt.resumed == 0 then
  f = assert(io.open("odd \n\t%d \xff name", "w"))
  g = assert(io.open("folder/../folder/file", "w"))
  h = assert(io.open("folder/link", "a"))
end
f:write("one\n")
g:write("one\n")
h:write("one\n")
checkpoint(true)
if ckpt.resumed == 0 then
  f:write("lost\n")
  g:write("lost\n")
  h:write("lost\n")
  f:flush()
  g:flush()
  h:flush()
  die()
end
LUA
mkdir folder
ln -s target folder/link
run_killed names.lua
expect_exit 0 "$CKPTLUA" names.lua
for file in odd*name folder/file folder/target; do
    [ "$(grep -c one "$file")" = 2 ] || fail "$file has not both lines"
    ! grep -q lost "$file" || fail "$file has a line that was not saved"
done
[ -L folder/link ] || fail 'the link is gone'
