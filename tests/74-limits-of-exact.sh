#!/bin/sh
# What docs/limits.md says of exact resume: nothing of it is passed over in silence.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2119 # arguments that may be left out
exact=1
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# refuses TEXT PART...: a job with that text cannot be saved, and what is said has these parts.
refuses()
{
    printf '%s\nckpt.exit()\n' "$1" >refused.lua
    expect_exit 4 "$CKPTLUA" refused.lua
    shift
    expect_message 'ckptlua: cannot save refused.lua: ' "$@"
    only_scripts_and
}
refuses 'x = io.popen("true")' 'x: ' 'a pipe (io.popen)'
refuses 'x = { y = io.tmpfile() }' 'x.y: ' 'a temporary file'
echo gone >gone.txt
refuses 'x = io.open("gone.txt") os.remove("gone.txt")' 'x: ' 'a file that was removed'
refuses 'x = load(string.dump(function() end))' 'x: ' 'string.dump'
refuses 'local function f() return refuses end x = debug.upvalueid(f, 1)' 'x: ' 'light userdata'
refuses 'local pipe = io.popen("true")' "local 'pipe' (refused.lua:1): a pipe"
refuses 'local t = { { pipe = io.popen("true") } }' "field [1].pipe of local 't' (refused.lua:1): a pipe"
refuses 'do local pipe = io.popen("true") f = function() return pipe end end' "upvalue 'pipe' of function (refused.lua:1): a pipe"
refuses 'coroutine.wrap(function() local pipe = io.popen("true")
ckpt.exit() end)()' "local 'pipe' (refused.lua:1): a pipe"
if lua5.4 -e 'require "lfs"' 2>/dev/null; then
    refuses 'x = package.searchers[3]("lfs")' 'x: ' 'C function without a name'
    refuses 'x = select(2, require("lfs").dir("."))' 'x: ' 'userdata (directory metatable)'
fi

# A script's own hook would take the host's place.
echo 'debug.sethook(print, "c")' >hook.lua
expect_exit 1 "$CKPTLUA" hook.lua
expect_message 'debug.sethook cannot be used with --resume exact' '--resume globals'
expect_exit 0 "$CKPTLUA" --resume globals hook.lua

# Places where nothing can be saved: an exit says so, with function and line; checkpoint() leaves it
# for later.
cat >held.lua <<'LUA'
local function tried(what)
  local ok, text = pcall(ckpt.exit)
  assert(not ok)
  print(what, (text:gsub("^.-: ", "")))
  assert(checkpoint() == false)
end
table.sort({ 2, 1 }, function(a, b) tried("sort") return a < b end)
string.gsub("x", "x", function() tried("gsub") end)
xpcall(error, function() tried("handler") end)
local co = coroutine.create(function()
  local closing <close> = setmetatable({}, { __close = function() tried("coroutine.close") end })
  coroutine.yield()
end)
coroutine.resume(co)
coroutine.close(co)
setmetatable({}, { __gc = function() tried("collector") end })
collectgarbage()
print(pcall(ckpt.mark, "here"))
LUA
expect_exit 0 "$CKPTLUA" held.lua
sed 's/ (.*//' "$out" >told
cat >expected <<'EOF'
sort	nothing can be saved inside of sort
gsub	nothing can be saved inside of gsub
handler	nothing can be saved inside of a function
coroutine.close	nothing can be saved inside of close
collector	nothing can be saved inside of collectgarbage
true	true
EOF
expect_same told expected
rm -f told expected held.ckpt*

# A loop by hand that has taken its key away goes on.
cat >byhand.lua <<'LUA'
local t = { a = 1, b = 2, c = 3 }
local k = next(t)
t[k] = nil
local following = next(t, k)
ckpt.exit()
collectgarbage()
print(next(t, k) == following)
LUA
expect_exit 85 "$CKPTLUA" byhand.lua
expect_exit 0 "$CKPTLUA" byhand.lua
expect_output "true"

# What differs in silence, such as how much memory is in use, verify finds.
cat >memory.lua <<'LUA'
for i = 1, 20 do ckpt.sleep(0.01) end
print(collectgarbage("count"))
LUA
unset CKPTLUA_INTERVAL
mkdir tmp
expect_exit 1 env TMPDIR="$PWD/tmp" "$CKPTLUA" verify --kills 2 memory.lua
expect_output 'stdout       DIFFERS'
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# Tables keep their order.
cat >later.lua <<'LUA'
local t = {}
for i = 1, 40 do t["k" .. i] = i end
for i = 1, 40, 3 do t["k" .. i] = nil end
local function keys()
  local list = {}
  for k in pairs(t) do list[#list + 1] = k end
  return table.concat(list, " ")
end
local before = keys()
ckpt.exit()
print(keys() == before)
LUA
expect_exit 85 "$CKPTLUA" later.lua
expect_exit 0 "$CKPTLUA" later.lua
printf 'true\n' | cmp - "$out" || fail 'the order is another one'
