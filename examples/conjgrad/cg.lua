-- Solves A*x = b by conjugate gradients. A is sparse, symmetric and positive definite.
--
--     ckptlua cg.lua [A.mtx] [b.mtx] [x.mtx]
--
-- Saved are the chosen variables: A and b are transient, which means that they are read from
-- their files again when the job continues. cgfull.lua saves them too.

sparse = require "sparse"
dot, norm = sparse.dot, sparse.norm

A_file, b_file, x_file = arg[1] or "A.mtx", arg[2] or "b.mtx", arg[3] or "x.mtx"
tolerance = 1e-10

function read_A()
  return sparse.read_matrix(A_file)
end

function read_b()
  return sparse.read_vector(b_file)
end

ckpt.transient("A", read_A)
ckpt.transient("b", read_b)
assert(A:is_symmetric(), A_file .. ": not symmetric; conjugate gradients need that")

if not k then -- in a continued job there is one
  print(string.format("%s: %s", A_file, A))
  n = #b
  r = b + A * b -- x begins as -b
  y = -r
  z = A * y
  s = dot(y, z)
  t = dot(r, y) / s
  x = -b + t * y
  first_residual = norm(r)
  k = 0
end

while k < n do
  k = k + 1
  r = r - t * z
  residual = norm(r)
  if residual < tolerance then break end
  assert(residual == residual, "the residual is not a number; is A positive definite, b not 0?")
  B = dot(r, z) / s
  y = -r + B * y
  z = A * y
  s = dot(y, z)
  t = dot(r, y) / s
  x = x + t * y

  if k % 50 == 0 then
    print(string.format("%6d  residual %.6e", k, residual))
  end
  -- The residual shrinks by about the same factor in each step: its logarithm tells how far we are.
  share = math.log(first_residual / residual) / math.log(first_residual / tolerance)
  ckpt.progress(math.max(0, math.floor(100 * share)), 100, string.format("residual %.1e", residual))
  checkpoint()
end

print(string.format("%6d  residual %.6e  %s", k, residual,
  residual < tolerance and "converged" or "NOT converged"))
sparse.write_vector(x_file, x)
