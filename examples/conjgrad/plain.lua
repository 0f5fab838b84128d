-- Solves A*x = b by conjugate gradients. A is sparse, symmetric and positive definite.
--
--     ckptlua plain.lua [A.mtx] [b.mtx] [x.mtx]
--
-- An ordinary program, with local variables and a for loop: all of them are saved, A and b
-- included, so once these have been read the job goes on without its input files. Stock Lua runs
-- it too:
--     LUA_PATH="../../lua/?.lua" lua5.4 plain.lua

local sparse = require "sparse"

-- Returns x, the number of steps, and the norm of the residual. `report(k, residual)` is called
-- after each step.
local function solve(A, b, tolerance, report)
  local r = b + A * b -- x begins as -b
  local y = -r
  local z = A * y
  local s = sparse.dot(y, z)
  local t = sparse.dot(r, y) / s
  local x = -b + t * y
  local residual
  for k = 1, #b do
    r = r - t * z
    residual = sparse.norm(r)
    if residual < tolerance then return x, k, residual end
    assert(residual == residual, "the residual is not a number; is A positive definite, b not 0?")
    local B = sparse.dot(r, z) / s
    y = -r + B * y
    z = A * y
    s = sparse.dot(y, z)
    t = sparse.dot(r, y) / s
    x = x + t * y
    report(k, residual)
  end
  return x, #b, residual
end

local A_file, b_file, x_file = arg[1] or "A.mtx", arg[2] or "b.mtx", arg[3] or "x.mtx"
local tolerance = 1e-10

local A = sparse.read_matrix(A_file)
local b = sparse.read_vector(b_file)
assert(A:is_symmetric(), A_file .. ": not symmetric; conjugate gradients need that")
print(string.format("%s: %s", A_file, A))

local x, steps, residual = solve(A, b, tolerance, function(k, residual)
  if k % 50 == 0 then
    print(string.format("%6d  residual %.6e", k, residual))
  end
end)
print(string.format("%6d  residual %.6e  %s", steps, residual,
  residual < tolerance and "converged" or "NOT converged"))
sparse.write_vector(x_file, x)
