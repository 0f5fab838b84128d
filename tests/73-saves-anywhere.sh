#!/bin/sh
# Where a save waits, and that it happens when what held it up has ended.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

# A sort holds the save up for so long that the host asks more and more seldom; then a loop changes
# threads all the time.
cat >switching.lua <<'LUA'
local list = {}
for i = 1, 200000 do list[i] = (i * 7919) % 200003 end
ckpt.sleep(0.1) -- until the save that is due in the sort is not the first
local before = ckpt.saves
local start = os.clock()
while os.clock() - start < 0.5 do
  table.sort(list, function(a, b) return a < b end)
end
local during = ckpt.saves
local step = coroutine.wrap(function()
  while true do coroutine.yield() end
end)
start = os.clock()
while ckpt.saves == during and os.clock() - start < 20 do
  for _ = 1, 1000 do step() end
end
print(ckpt.saves > during)
LUA
expect_exit 0 "$CKPTLUA" --interval 50ms --save inline switching.lua
expect_output true

# What cannot be saved, but is there in passing only, is not worth a word.
cat >passing.lua <<'LUA'
local function saved(count)
  while ckpt.saves < count do ckpt.sleep(0.01) end
end
saved(1)
do
  local pipe = io.popen("sleep 0.6")
  local start = os.clock()
  while os.clock() - start < 0.4 do end
  pipe:close()
end
collectgarbage()
saved(ckpt.saves + 1)
print("done")
LUA
expect_exit 0 "$CKPTLUA" --interval 50ms passing.lua
expect_output 'done'
expect_no_message 'cannot save'

# What stays is told, once.
sed 's/ < 0.4 do/ < 7 do/' passing.lua >staying.lua
expect_exit 0 "$CKPTLUA" --interval 50ms staying.lua
expect_output 'done'
expect_once 'ckptlua: cannot save staying.lua: '
expect_message 'staying.ckpt of ' ' is intact; the job goes on)'
