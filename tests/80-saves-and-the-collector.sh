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
expect_exit 0 "$CKPTLUA" --save inline job.lua
printf 'true\ntrue\ttrue\n' | cmp - "$out" || fail 'the collector works at each save, or never'
