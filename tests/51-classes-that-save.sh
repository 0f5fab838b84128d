#!/bin/sh
# The save function of a class may call ckpt.save and ckpt.load itself, and what holds for the outer
# call holds on behind them: no open file, no checkpoint.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# An open file comes behind it.
cat >nested.lua <<'LUA'
local C = {}
ckpt.save("plain.ws", { v = 1 })
ckpt.register("C", C, {
  save = function(c)
    if arg[1] == "save" then ckpt.save("inner.ws", { v = c.v }) end
    if arg[1] == "load" then assert(ckpt.load("plain.ws", "v") == 1) end
    return c.v
  end,
  load = function(v) return setmetatable({ v = v }, C) end,
})
local f = assert(io.open("out", "w"))
-- In an array, so that it is met behind the object.
print(pcall(ckpt.save, "outer.ws", { a = { setmetatable({ v = 1 }, C), f } }))
ckpt.save("outer.ws", { a = setmetatable({ v = 7 }, C) })
assert(ckpt.load("outer.ws", "a").v == 7)
-- The job's own snapshot may have it, behind such a class too.
a = { setmetatable({ v = 1 }, C), f }
assert(checkpoint(true))
f:close()
LUA
for how in save load; do
    expect_exit 0 "$CKPTLUA" nested.lua $how
    expect_output false 'an open file can be kept in the job'
    rm -f -- *.ws out
    only_scripts_and
done

# No checkpoint from within, whichever save the function serves.
cat >inside.lua <<'LUA'
local C = {}
ckpt.register("C", C, {
  save = function(c)
    print(pcall(checkpoint, true))
    return c.v
  end,
  load = function(v) return setmetatable({ v = v }, C) end,
})
ckpt.save("x.ws", { a = setmetatable({ v = 1 }, C) })
print(checkpoint(true), ckpt.saves)
a = setmetatable({ v = 1 }, C)
print(checkpoint(true), ckpt.saves)
LUA
expect_exit 0 "$CKPTLUA" inside.lua
[ "$(grep -c '^false	.*must not save' "$out")" = 2 ] || fail 'it may save'
expect_output "$(printf 'true\t1')" "$(printf 'true\t2')"
rm x.ws
only_scripts_and
