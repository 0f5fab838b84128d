#!/bin/sh
# Objects have the addresses in a continued job that they have in one that was not interrupted, and
# tables with objects as keys the order.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# as_undisturbed NAME: the script NAME.lua prints the same with and without $STOPS.
as_undisturbed()
{
    expect_exit 0 "$CKPTLUA" --quiet --seed 5 "$1.lua"
    cp "$out" expected
    : >printed
    code=85
    while [ $code = 85 ]; do
        code=0
        STOPS=1 "$CKPTLUA" --quiet --seed 5 "$1.lua" >"$out" 2>"$err" || code=$?
        cat "$out" >>printed
    done
    [ $code = 0 ] || fail "exit code $code"
    expect_same expected printed
    rm -f expected printed "$1".ckpt*
}

echo 'print({})' >probe.lua
expect_exit 0 "$CKPTLUA" --quiet probe.lua
grep -q 'table: 0x6d' "$out" || skip 'this program has its memory from malloc'

# Each kind of object, before and after, and new ones; garbage of each kind in between.
cat >kinds.lua <<'EOF'
collectgarbage("stop")
local stop = os.getenv("STOPS") and ckpt.exit or function() end
local file = io.open(arg[0])
local objects = {
  {}, function() return file end, coroutine.create(print), coroutine.wrap(print),
  string.gmatch("a b", "%a"), file:lines(), file, io.stdout, load("return 1"), print, string, _G,
  setmetatable({}, { __name = "class" }), (coroutine.running()),
}
local function show()
  for i, o in ipairs(objects) do io.write(("%d %p  "):format(i, o)) end
  print({}, function() return stop end, coroutine.create(show), ("%p"):format(io.open(arg[0])))
  for i = 1, 5 do local _ = { { {} } }, function() return i end, coroutine.wrap(show), ("x"):rep(5000) end
end
for _ = 1, 3 do
  show()
  stop()
end
show()
-- A full collection frees garbage in both. What waits for a finalizer goes with the next one.
for _ = 1, 3 do
  for i = 1, 3 do local _ = io.open(arg[0]), table.concat({ ("y"):rep(3000), i }) end
  stop()
  collectgarbage()
  show()
end
EOF
as_undisturbed kinds

# What the host makes for the script, for files, classes and options, is its own.
cat >hosts.lua <<'EOF'
collectgarbage("stop")
local stop = os.getenv("STOPS") and ckpt.exit or function() end
local Class = {}
ckpt.register("Class", Class)
ckpt.config{ generations = 3 }
ckpt.on_save(function() saved = { {} } end)
ckpt.on_resume(function() resumed = { {} } end)
local function work(i)
  local file = io.open("hosts.txt", i == 1 and "w" or "a")
  file:write(i, "\n")
  stop()
  print({}, setmetatable({}, Class), ("%p"):format(file))
  file:close()
  load("return " .. i)()
  require("sparse")
end
for i = 1, 4 do
  work(i)
  stop()
  collectgarbage() -- no register refers to the file any more
  print({}, function() return i end, coroutine.wrap(print), ("%p"):format(io.open("hosts.txt")))
end
EOF
as_undisturbed hosts

# A main function that has given way to another one, whose place is used again.
cat >tail.lua <<'EOF'
collectgarbage("stop")
local stop = os.getenv("STOPS") and ckpt.exit or function() end
local function rest(n)
  collectgarbage()
  local f = function() return n end
  print(f, function() return n end, {})
  stop()
  print(f, function() return n end, {})
  if n > 0 then return rest(n - 1) end
end
return rest(3)
EOF
as_undisturbed tail

# Functions of libraries as keys: they are where they were in a program that has its Lua within.
cat >keys.lua <<'EOF'
collectgarbage("stop")
local stop = os.getenv("STOPS") and ckpt.exit or function() end
local set = {}
local function show()
  local out = {}
  for _, v in pairs(set) do out[#out + 1] = v end
  print(table.concat(out, " "))
end
for name, f in pairs(string) do set[f] = name end
for name, f in pairs(math) do set[type(f) == "function" and f or {}] = name end
for round = 1, 6 do
  show()
  stop()
  for _ = 1, 5 do set[next(set)] = nil end
  set[{}] = "new" .. round
  set[table.sort], set[string.rep] = "sort", "rep"
end
EOF
if ldd "$CKPTLUA" | grep -q liblua; then
    expect_exit 0 "$CKPTLUA" keys.lua
else
    as_undisturbed keys
fi
rm -f hosts.txt

# The places of garbage are free again when Lua has collected it, whether the script asked for that or
# not: they do not add up in a chain of processes.
cat >garbage.lua <<'EOF'
local kept = {}
for round = 1, 12 do
  for i = 1, 20000 do kept[i % 100 + 1] = { i } end
  if round % 2 == 0 then ckpt.exit() end
  for i = 1, 200000 do kept[i % 100 + 1] = { i } end
end
EOF
cat >count.py <<'EOF'
import msgpack, sys
options = {"raw": True, "strict_map_key": False, "object_pairs_hook": list}
*_, garbage, trailer = msgpack.Unpacker(open(sys.argv[1], "rb"), **options)
print(sum(abs(count) for count in garbage[1::2]))
EOF
most=0
for process in 1 2 3 4 5 6; do
    expect_exit 85 "$CKPTLUA" --quiet garbage.lua
    count=$(/usr/bin/python3 count.py garbage.ckpt)
    echo "process $process: garbage of $count cells"
    [ "$process" -gt 2 ] || [ "$count" -le "$most" ] || most=$count
done
[ "$count" -le $((most * 2)) ] || fail "there is more and more garbage"
expect_exit 0 "$CKPTLUA" --quiet garbage.lua
rm count.py

# Killed at any time, with saves in between that undisturbed runs do not have, and full collections.
cat >killed.lua <<'EOF'
collectgarbage("stop")
local kept, set, n = {}, setmetatable({}, { __mode = "k" }), 0
local function work()
  for _ = 1, 400 do
    n = n + 1
    local o = { n }
    set[o] = n
    if n % 3 == 0 then kept[#kept + 1] = o end
    if n % 7 == 0 then kept[#kept + 1] = function() return o, n end end
    if n % 11 == 0 then kept[#kept + 1] = coroutine.wrap(work) end
  end
  while #kept > 2000 do n = n + 7 table.remove(kept, n % #kept + 1) end
  local sum = 0
  for _, v in pairs(set) do sum = (sum * 31 + v) % 1000003 end
  return sum
end
for round = 1, 200 do
  local sum = work()
  if round % 5 == 0 then collectgarbage() end
  print(round, sum, kept[#kept], {}, coroutine.create(work))
end
EOF
unset CKPTLUA_INTERVAL
mkdir tmp
expect_exit 0 env TMPDIR="$PWD/tmp" "$CKPTLUA" verify --kills 6 killed.lua
expect_output 'killed.lua resumes exactly'
rmdir tmp
only_scripts_and
