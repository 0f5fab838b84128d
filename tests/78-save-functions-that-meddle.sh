#!/bin/sh
# A save function runs while coroutines are being saved. It may use coroutines of its own, and the
# collector; a coroutine that it has run or closed is not saved as a mixture of before and after.
exact=1
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

cat >meddle.lua <<'LUA'
local C, what = {}, nil
ckpt.register("C", C, {
  save = function(c)
    if what then what(c) end
    return c.v
  end,
  load = function(v) return setmetatable({ v = v }, C) end,
})

-- Coroutines with objects in registers, upvalues and arguments, open upvalues, and deep stacks.
local function object(v) return setmetatable({ v = v }, C) end
local function down(n, ...)
  local mine, also = object(n), n
  local function get() return mine.v + also end
  if n == 0 then
    coroutine.yield(get, ...)
  else
    down(n - 1, object(-n), ...)
  end
  also = also + 1
  coroutine.yield(get())
  return get()
end
local function fresh()
  local list = {}
  for i = 1, 5 do
    list[i] = coroutine.create(down)
    coroutine.resume(list[i], 3 * i, object(i))
  end
  list[6] = coroutine.create(function(a) return a.v end) -- has not begun
  return list
end
local function finish(co)
  local results = {}
  while coroutine.status(co) ~= "dead" do
    local _, value = coroutine.resume(co, object(7))
    results[#results + 1] = tostring(value)
  end
  return table.concat(results, " ")
end

-- What a coroutine may give: as it was, and as it is when it was meddled with.
local may = {}
for i = 1, 6 do may[i] = { [finish(fresh()[i])] = true } end
local function may_also(f)
  local list = fresh()
  f(list)
  for i = 1, 6 do may[i][finish(list[i])] = true end
end
local function run(list)
  for i = 1, 5 do coroutine.resume(list[i]) end
end
local function close(list)
  for i = 1, 6 do coroutine.close(list[i]) end
end

local resumed, list, calls = false, nil, nil
ckpt.on_resume(function() resumed = true end)
local function try(name, f, must)
  list, calls, what = fresh(), 0, f
  local saved = ckpt.mark(name)
  what = nil
  if not saved then
    assert(not must)
    print(name, "refused")
    return
  end
  for i = 1, 6 do
    local got = finish(list[i])
    assert(may[i][got], got)
  end
  print(name, "saved")
  if resumed then os.exit(0) end -- it was only to be seen that it goes on
end

try("own", function(c)
  assert(coroutine.wrap(function(v) return v end)(c.v) == c.v)
end, true)
try("collect", function()
  calls = calls + 1
  if calls % 7 == 1 then collectgarbage() end
  local garbage = {}
  for i = 1, 50 do garbage[i] = { i } end
end, true)
may_also(run)
may_also(close)
for at = 1, 121, 6 do
  for name, f in pairs { run = run, close = close } do
    try(name .. "-" .. at, function()
      calls = calls + 1
      if calls ~= at then return end
      f(list)
      collectgarbage()
    end)
  end
end
LUA
expect_exit 0 "$CKPTLUA" meddle.lua
expect_once 'a table changed while it was being saved'
cp "$out" first
grep -q '^run-.*refused$' first || fail 'no coroutine was run at a wrong moment'
grep -q '^close-.*refused$' first || fail 'no coroutine was closed at a wrong moment'
grep -q '^run-.*saved$' first || fail 'all were saved at a wrong moment'
sed -n 's/\t.*saved$//p' first >marks
while read -r mark; do
    expect_exit 0 "$CKPTLUA" --from "$mark" meddle.lua
done <marks
