-- Loops over arrays: the spectral norm of a matrix that is computed on the way, and a sieve.

local n = tonumber(arg and arg[1]) or 900

local function element(i, j)
  local k = i + j - 1
  return 1.0 / (k * (k - 1) * 0.5 + i)
end

local function multiply(x, y)
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do
      sum = sum + x[j] * element(i, j)
    end
    y[i] = sum
  end
end

local function multiply_transposed(x, y)
  for i = 1, n do
    local sum = 0.0
    for j = 1, n do
      sum = sum + x[j] * element(j, i)
    end
    y[i] = sum
  end
end

local u, v, t = {}, {}, {}
for i = 1, n do
  u[i] = 1.0
end
for _ = 1, 10 do
  multiply(u, t)
  multiply_transposed(t, v)
  multiply(v, t)
  multiply_transposed(t, u)
end
local uv, vv = 0.0, 0.0
for i = 1, n do
  uv, vv = uv + u[i] * v[i], vv + v[i] * v[i]
end

local limit, primes = 20000 * n // 5, 0
local composite = {}
for i = 2, limit do
  if not composite[i] then
    primes = primes + 1
    for j = i * i, limit, i do
      composite[j] = true
    end
  end
end
print(string.format("%.9f", math.sqrt(uv / vv)), primes)
