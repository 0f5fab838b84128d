#!/bin/sh
# After a continue a collection comes at the very instruction at which it would have come, and what
# was finalized stays so: weak tables show the same keys.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" != 1 ] || skip 'memory is from malloc, without moments of collections'

# A key is in a register when the collection is due, or is not any more.
cat >tables.lua <<'LUA'
local weak = setmetatable({}, { __mode = "k" })
for k = 1, 9000 do
  weak[{ k, k, k, k }] = k
  if k % 450 == 0 then
    local t = {}
    for a, v in pairs(weak) do t[#t + 1] = v .. "/" .. a[1] end
    table.sort(t)
    print(k, table.concat(t, " "))
  end
end
LUA

# A file that was closed by its finalizer is a key for one collection more.
cat >files.lua <<'LUA'
local weak = setmetatable({}, { __mode = "k" })
for k = 1, 3000 do
  local f = io.open("/dev/null")
  if k % 3 > 0 then f:close() end
  weak[f] = k
  for i = 1, 20 do weak[{}] = i end
  if k % 100 == 0 then
    local left, closed = 0, 0
    for key in pairs(weak) do
      left = left + 1
      if io.type(key) == "closed file" then closed = closed + 1 end
    end
    print(k, left, closed, string.format("%p", {}))
  end
end
LUA

for job in tables files; do
    expect_exit 0 "$CKPTLUA" --seed 1 $job.lua
    cp "$out" undisturbed
    for milliseconds in 1 2 4 8 16; do
        rm -f pieces
        "$CKPTLUA" --seed 1 --exit-after ${milliseconds}ms $job.lua >pieces 2>"$err" || :
        while [ -e $job.ckpt ]; do
            "$CKPTLUA" --seed 1 --exit-after 40ms $job.lua >>pieces 2>"$err" || :
        done
        expect_same undisturbed pieces
    done
done
