#!/bin/sh
# Saves do not make the collector work each time, and it still frees what they have used.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
local cycles = 0
local function watch()
  setmetatable({}, { __gc = function() cycles = cycles + 1; watch() end })
end
local function saves(count)
  for _ = 1, count do checkpoint(true) end
end
saves(50)
local before = collectgarbage("count")
saves(250)
local growth = collectgarbage("count") - before
watch()
saves(60)
print(growth < 400 or growth)
print(cycles < 50 or cycles, cycles > 0)
LUA
expect_exit 0 "$CKPTLUA" --save inline --deterministic=no job.lua
printf 'true\ntrue\ttrue\n' | cmp - "$out" || fail 'the collector works at each save, or never'

# The same where the script decides when it works, but makes nothing: what saves leave is freed
# when it has become much.
cat >job.lua <<'LUA'
local cycles, most = 0, 0
setmetatable({}, { __gc = function() cycles = cycles + 1 end })
for _ = 1, 3000 do
  checkpoint(true)
  if cycles == 1 then break end
  local now = collectgarbage("count")
  if now > most then most = now end
end
print(most < 25000 or most, cycles)
LUA
expect_exit 0 "$CKPTLUA" --save inline job.lua
printf 'true\t1\n' | cmp - "$out" || fail 'what saves leave behind is kept'
