#!/bin/sh
# What the host keeps for itself does not move the script's collections: after a continue every address
# is as it would have been, whatever the job has loaded, registered, opened and read before.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" != 1 ] || skip 'memory is from malloc, without places'
mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR

cat >objects.lua <<'LUA'
local List = {}
List.__index = List
function List.new() return setmetatable({ first = false, second = false }, List) end
function List:add(value)
  self[#self + 1] = value
  return self
end
local Pair = { of = function(a, b) return { a, b } end }
return { List = List, Pair = Pair, large = ("a large string, read back by way of a buffer; "):rep(3000) }
LUA

cat >job.lua <<'LUA'
local objects = require "objects"
local names = {}
large = objects.large .. "!"
local chunk = load "local n = ... return { n, function() return n end }"
ckpt.register("List", objects.List)
ckpt.transient("again", function() return { "made in each process" } end)
ckpt.on_save(function() return { "made by each save" } end)
ckpt.on_resume(function() return { "made in each process" } end)
ckpt.config{ interval = "50ms" }

-- Some of these steps leave something with the host: names of files, weak keys, texts, classes.
local function step(i)
  local name = ("a file with a name that is longer than forty bytes, number %d"):format(i % 7)
  local f = assert(io.open(name, i % 3 == 0 and "a" or "w"))
  f:write(i, "\n")
  if i % 5 ~= 0 then f:close() end
  if i % 10 == 4 then os.remove(name) end
  if i % 20 == 7 then
    local class = { __name = "class" .. i }
    ckpt.register("class" .. i, class)
    names[class] = i
  end
  for word in ("some words"):gmatch "%a+" do names[word] = i end
  local list = objects.List.new()
  for j = 1, 3000 do
    list:add(objects.Pair.of(i, chunk(j)))
    if j % 500 == 0 then checkpoint() end
  end
  return list
end

for i = 1, 60 do
  local list = step(i)
  local n = 0
  for _ in pairs(names) do n = n + 1 end
  print(i, string.format("%p %p %p", {}, list, function() return i end), n)
end
LUA

expect_exit 0 "$CKPTLUA" verify --kills 6 job.lua
expect_output 'job.lua resumes exactly.'
