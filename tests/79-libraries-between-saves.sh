#!/bin/sh
# What a script does to the tables of libraries is in the next save, whatever was found in the ones
# before: new, changed and removed entries, metatables, and what is put back.
exact=1
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >libraries.lua <<'LUA'
local upper, pi, floor = string.upper, math.pi, math.floor
local format, concat = string.format, table.concat
local function sorted(t)
  local keys = {}
  for k, v in pairs(t) do
    keys[#keys + 1] = tostring(k) .. (type(v) == "number" and "=" .. format("%.3f", v) or "")
  end
  table.sort(keys)
  return concat(keys, " ")
end
local function look()
  local text = sorted(string) .. " | " .. sorted(math) .. " | " .. sorted(utf8)
  return text .. " | " .. tostring(math.floor == floor) .. tostring(getmetatable(math) ~= nil)
    .. tostring(getmetatable("").__index == string) .. tostring(math.added)
end
local function try(name)
  for _ = 1, 2 do -- it is the second save that finds what the first has remembered
    local before, resumed = look(), ckpt.resumed
    ckpt.mark(name)
    assert(look() == before, look())
    if ckpt.resumed > resumed then
      print(name, before)
      os.exit(0)
    end
    print(name, before)
  end
end

try("first")
string.added = 1
try("added")
string.added = nil
try("removed")
string.upper = nil
try("lacks")
string.upper = upper
try("back")
math.pi = 3
try("three")
math.pi = pi
math.floor = math.ceil
try("ceil")
math.floor = floor
setmetatable(math, { __index = function(_, name) return "no " .. name end })
try("meta")
setmetatable(math, nil)
for i = 1, 100 do math[i] = i end
try("many")
for i = 1, 100 do math[i] = nil end
collectgarbage()
try("none")
utf8.charpattern = nil
collectgarbage()
try("pattern")
getmetatable("").__index = { len = string.len }
try("strings")
LUA
expect_exit 0 "$CKPTLUA" libraries.lua
uniq "$out" >"$scratch/whole"
for mark in first added removed lacks back three ceil meta many none pattern strings; do
    expect_exit 0 "$CKPTLUA" --from $mark libraries.lua
    grep -qxF -e "$(cat "$out")" "$scratch/whole" || fail "other libraries from $mark on"
done
