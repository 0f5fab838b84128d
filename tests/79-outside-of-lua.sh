#!/bin/sh
# What the functions of os, and collectgarbage, give in a job that goes on by exact resume.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# os.clock goes on, from the save's value by the processor time of this process, whatever the time
# that has gone by; a function that was kept in a local variable too.
cat >clock.lua <<'LUA'
local clock, last = os.clock, 0
local function burn(seconds)
  assert(clock() >= last, "os.clock went back")
  local stop = clock() + seconds
  while clock() < stop do end
  last = os.clock()
end
for run = 1, 3 do
  burn(0.3)
  ckpt.mark("first")
  burn(0.1)
  local before = clock()
  ckpt.exit()
  print(run, clock() - before < 0.3, clock() >= run * 0.4, clock() < run * 0.4 + 2)
end
LUA
expect_exit 85 "$CKPTLUA" clock.lua
for run in 1 2 3; do
    sleep 1
    code=85
    [ $run != 3 ] || code=0
    expect_exit $code "$CKPTLUA" clock.lua
    expect_output "$run	true	true	true"
done
expect_exit 85 "$CKPTLUA" --from first clock.lua
rm -f clock.ckpt*

# An exact snapshot that goes on as globals.
cat >globals.lua <<'LUA'
if ckpt.resumed == 0 then
  repeat last = os.clock() until last > 0.4
  ckpt.exit()
end
print(os.clock() >= last)
LUA
expect_exit 85 "$CKPTLUA" --resume exact globals.lua
expect_exit 0 "$CKPTLUA" --resume globals globals.lua
expect_output true

# The environment and the time of day are those of the process.
cat >outside.lua <<'LUA'
local day = os.time()
print(os.getenv("WHO"))
ckpt.exit()
print(os.getenv("WHO"), os.time() > day)
LUA
WHO=first expect_exit 85 "$CKPTLUA" outside.lua
expect_output first
sleep 1
WHO=second expect_exit 0 "$CKPTLUA" outside.lua
expect_output 'second	true'

# Each os.tmpname is another file, in the continued job too; one that was written and is gone is
# missed, one that was removed by the job is not.
cat >names.lua <<'LUA'
local kept, removed = os.tmpname(), os.tmpname()
for _, name in ipairs { kept, removed } do
  local file <close> = assert(io.open(name, "w"))
  file:write("text of ", name, "\n")
end
os.remove(removed)
ckpt.exit()
local new = os.tmpname()
print(kept, new ~= kept and new ~= removed, io.open(removed))
for line in io.lines(kept) do print(line == "text of " .. kept) end
os.remove(kept)
os.remove(new)
LUA
expect_exit 85 "$CKPTLUA" names.lua
cp names.ckpt copy.ckpt
expect_exit 0 "$CKPTLUA" names.lua
name=$(sed -n '1s/\t.*//p' "$out")
expect_output "$name	true	nil	" true
mv copy.ckpt names.ckpt
expect_exit 3 "$CKPTLUA" names.lua
expect_message "$name"
rm names.ckpt*

# A pipe is refused, with what to do; one that is read and closed in passing is waited for.
cat >pipe.lua <<'LUA'
local pipe = io.popen("echo text")
print(pcall(ckpt.mark, "here"))
ckpt.exit()
LUA
expect_exit 4 "$CKPTLUA" pipe.lua
expect_message "cannot save pipe.lua: local 'pipe' (pipe.lua:1): a pipe (io.popen), which ends with this process; read all of it and close it"
cat >passing.lua <<'LUA'
local lines = {}
for i = 1, 30 do
  local pipe = io.popen("echo " .. i)
  lines[i] = pipe:read("a")
  pipe:close()
end
io.write(table.concat(lines))
LUA
expect_exit 0 "$CKPTLUA" --interval 1ms passing.lua
expect_lines 1 30 "$out"
expect_no_message 'cannot save'
rm -f pipe.ckpt* passing.ckpt*

# collectgarbage: stopped or not, and the mode, are kept.
cat >collector.lua <<'LUA'
collectgarbage("stop")
local before = collectgarbage("count")
ckpt.exit()
print(collectgarbage("isrunning"), collectgarbage("count") > 0, before > 0)
local t = setmetatable({}, { __mode = "k" })
for i = 1, 1000 do t[{}] = i end
print(next(t) ~= nil)
collectgarbage("restart")
collectgarbage("incremental")
ckpt.exit()
print(collectgarbage("isrunning"))
collectgarbage()
print(next(t), collectgarbage("generational"))
LUA
expect_exit 85 "$CKPTLUA" collector.lua
expect_exit 85 "$CKPTLUA" collector.lua
printf 'false\ttrue\ttrue\ntrue\n' | cmp - "$out" || fail 'the collector has not stayed stopped'
expect_exit 0 "$CKPTLUA" collector.lua
printf 'true\nnil\tincremental\n' | cmp - "$out" || fail 'the collector runs in another way'

# verify finds what depends on these.
unset CKPTLUA_INTERVAL
mkdir tmp
cat >day.lua <<'LUA'
for i = 1, 20 do ckpt.sleep(0.06) end
print(os.date("%H:%M:%S"))
LUA
expect_exit 1 env TMPDIR="$PWD/tmp" "$CKPTLUA" verify --kills 2 day.lua
expect_output 'stdout       DIFFERS' 'depends on the time of day (os.date, day.lua:2)?'
cat >count.lua <<'LUA'
for i = 1, 20 do ckpt.sleep(0.01) end
print(collectgarbage("count"))
LUA
expect_exit 1 env TMPDIR="$PWD/tmp" "$CKPTLUA" verify --kills 2 count.lua
expect_output 'stdout       DIFFERS' 'it depends on how much memory is in use, ckptlua'"'"'s own included (collectgarbage '"'"'count'"'"', count.lua:2)?'
