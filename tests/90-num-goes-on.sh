#!/bin/sh
# Jobs with the module num: arrays and sparse matrices are saved, and what was noted down to be
# computed later too; results, random numbers, order and addresses are those of an undisturbed run.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
local num = require "num"

-- The matrix of the Laplacian on an m x m grid.
local function laplacian(m)
  local k, ones = num.range(1, m), num.ones(m, 1)
  local T = num.sparse(k, k, 4, m, m)
  for i = 1, m - 1 do
    T:set(i, i + 1, -1)
    T:set(i + 1, i, -1)
  end
  local n = m * m
  local i, j, v = {}, {}, {}
  for block = 0, m - 1 do
    local r, c, value = num.triplets(T)
    for e = 1, #r do
      i[#i + 1], j[#j + 1], v[#v + 1] = block * m + r[e], block * m + c[e], value[e]
    end
  end
  for row = 1, n - m do
    for _, pair in ipairs { { row, row + m }, { row + m, row } } do
      i[#i + 1], j[#j + 1], v[#v + 1] = pair[1], pair[2], -1
    end
  end
  return num.sparse(num.vector(i), num.vector(j), num.vector(v), n, n), ones
end

local A, small = laplacian(60)
local n = num.size(A, 1)
local b = num.rand(n, 1)
local x, r = num.zeros(n, 1), num.copy(b)
local y = num.copy(r)
local rho = num.dot(r, r)
local weak = setmetatable({}, { __mode = "k" })
for k = 1, 400 do
  local z = A * y
  local t = rho / num.dot(y, z)
  x = x + t * y
  r = r - t * z
  local next_rho = num.dot(r, r)
  y = r + (next_rho / rho) * y
  rho = next_rho
  small = small + num.randn(60, 1)
  small[k % 60 + 1] = k
  weak[num.zeros(k % 200, 1)] = k
  local left = 0
  for _ in pairs(weak) do left = left + 1 end
  if k % 10 == 0 then
    print(k, string.format("%.17g %.17g %.17g", math.sqrt(rho), num.sum(x), num.norm(small)),
      CKPT_ADDRESSES and string.format("%d %p %p", left, x, {}))
  end
  if k % 100 == 0 then y = num.copy(r); rho = num.dot(r, r) end
end
print(string.format("%.17g", num.norm(A * x - b)), tostring(x), num.describe(A))
LUA

if [ "${CKPTLUA_SANITIZED:-0}" != 1 ]; then
    sed -i 's/CKPT_ADDRESSES/true/' job.lua
fi
expect_exit 0 "$CKPTLUA" --seed 3 job.lua
expect_silence
cp "$out" undisturbed
expect_exit 0 "$CKPTLUA" verify --seed 3 --kills 6 job.lua
expect_output 'job.lua resumes exactly.'

# Saved at each tenth of it.
cat >pieces.lua <<'LUA'
local num = require "num"
local A = num.speye(300) * 2
local x, y = num.rand(300, 1), num.rand(5, 1)
local sum, scaled, product = x + 2 * x, 3 * x, A * x -- noted down, not computed yet
local t = { [x] = "x", [A] = "A", sum, y }
ckpt.exit()
assert(t[x] == "x" and t[A] == "A" and t[1] == sum)
for _, z in ipairs { sum - 3 * x, scaled - sum, product - 2 * x } do
  print(num.norm(z) < 1e-15)
end
x[1] = 7
print(t[2] == y, scaled[1] < 4, num.dot(y, y) == num.norm(y) ^ 2 or num.norm(y) > 0)
print(getmetatable(x), num.size(A))
ckpt.exit()
print(#x, x:sub(1, nil)[1], num.threads() >= 1)
LUA
expect_exit 85 "$CKPTLUA" pieces.lua
expect_exit 85 "$CKPTLUA" pieces.lua
cat "$out" >>pieces.out
expect_exit 0 "$CKPTLUA" pieces.lua
cat "$out" >>pieces.out
printf 'true\ntrue\ntrue\ntrue\ttrue\ttrue\nfalse\t300\t300\n300\t7.0\ttrue\n' >expected
expect_same expected pieces.out

# From globals too, and by ckpt.save.
cat >globals.lua <<'LUA'
num = require "num"
if not x then
  x, A = num.range(1, 100):t(), num.speye(100)
  ckpt.save("kept.ckpt", { x = x, A = A })
  checkpoint(true)
  ckpt.exit()
end
print(num.sum(A * x), num.describe(x))
local kept = ckpt.load("kept.ckpt")
print(kept.x == x, kept.A == A)
LUA
expect_exit 85 "$CKPTLUA" --resume globals globals.lua
expect_exit 0 "$CKPTLUA" --resume globals globals.lua
expect_output '5050.0	vector 100' 'true	true'

# What cannot be written is told, and what was there stays.
cat >full.lua <<'LUA'
local num = require "num"
num.save("kept.npy", num.ones(3, 1))
os.execute("ln -s /dev/full kept.npy.tmp")
print(pcall(num.save, "kept.npy", num.zeros(100000, 1)))
print(num.sum(num.load("kept.npy")))
os.execute("ln -s /dev/full new.mtx.tmp")
num.save("new.mtx", num.eye(3))
LUA
if [ -c /dev/full ]; then
    expect_exit 1 "$CKPTLUA" --quiet full.lua
    expect_output 'false	cannot write kept.npy: No space left on device' '3.0'
    expect_message 'full.lua:7: cannot write new.mtx: No space left on device'
    expect_no_file new.mtx new.mtx.tmp kept.npy.tmp
fi

# A library that is not there is told.
cat >missing.lua <<'LUA'
print(pcall(require, "num"))
LUA
expect_exit 0 env CKPTLUA_MODULES=/nowhere "$CKPTLUA" missing.lua
expect_output "false	module 'num', which comes with ckptlua, cannot be loaded; tried:" '/nowhere/num.so'
