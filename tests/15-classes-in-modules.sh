#!/bin/sh
# Objects of a module's class, and references to it, are whole again when `require` has returned.
. "$(dirname "$0")/lib.sh"

cat >shape.lua <<'LUA'
local shape = {}
shape.__index = shape
function shape:area() return self.w * self.h end
return shape
LUA
cat >job.lua <<'LUA'
local shape = require "shape"
x = x or setmetatable({w = 2, h = 3}, shape)
refers = refers or {module = shape, call = shape.area, [shape] = true}
if ckpt.resumed == 0 then ckpt.exit() end
print(x:area(), refers.module == shape, refers.call == shape.area, refers[shape])
print(getmetatable(x) == shape, pcall(require, "no.such.module") == false)
checkpoint(true)
print(getmetatable(package.loaded))
LUA
expect_exit 85 "$CKPTLUA" job.lua
expect_exit 0 "$CKPTLUA" job.lua
printf '6\ttrue\ttrue\ttrue\ntrue\ttrue\nnil\n' >expected
expect_same expected "$out"
no_leftovers job.lua shape.lua expected

# A global of the script's that hides the table ckpt is the script's own business.
echo 'local c = require "ckpt" ckpt = "mine" if c.resumed == 0 then c.exit() end print(ckpt, c.resumed)' >hide.lua
expect_exit 85 "$CKPTLUA" hide.lua
expect_exit 0 "$CKPTLUA" hide.lua
printf 'mine\t1\n' >expected
expect_same expected "$out"

# Tables with holes keep their length.
cat >holes.lua <<'LUA'
if ckpt.resumed == 0 then
  a, b = {1, 2, nil, 4}, {}
  for i = 1, 10 do b[i] = i end
  b[5] = nil
  before = #a .. " " .. #b
  ckpt.exit()
end
print(before == #a .. " " .. #b, a[4], b[10], b[5])
LUA
expect_exit 85 "$CKPTLUA" holes.lua
expect_exit 0 "$CKPTLUA" holes.lua
printf 'true\t4\t10\tnil\n' >expected
expect_same expected "$out"
