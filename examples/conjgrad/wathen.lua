-- Writes the input of the conjugate gradient job: a random Wathen matrix A and a vector b.
--
--     ckptlua wathen.lua nx ny [seed] [A.mtx b.mtx]
--
-- A is the mass matrix of nx times ny elements of the serendipity family (squares with a node in
-- each corner and in the middle of each side) with random densities from 0 to 100. It has
-- n = 3*nx*ny + 2*nx + 2*ny + 1 rows, is symmetric and positive definite, and is sparse: 21 or
-- fewer entries in a row. b has n random elements from 0 to 1. The same seed (default 1) gives
-- the same files on every machine.
--
-- Nothing is saved here: it takes seconds, and started again it begins anew. Stock Lua runs it too:
--     LUA_PATH="../../lua/?.lua" lua5.4 wathen.lua 60 60

local sparse = require "sparse"

-- 45 times the mass matrix of one element of density 1 and side 2. Nodes go around the element:
-- corners are 1, 3, 5 and 7, the middles of the sides 2, 4, 6 and 8.
local element = {
  {  6, -6,  2, -8,  3, -8,  2, -6 },
  { -6, 32, -6, 20, -8, 16, -8, 20 },
  {  2, -6,  6, -6,  2, -8,  3, -8 },
  { -8, 20, -6, 32, -6, 20, -8, 16 },
  {  3, -8,  2, -6,  6, -6,  2, -8 },
  { -8, 16, -8, 20, -6, 32, -6, 20 },
  {  2, -8,  3, -8,  2, -6,  6, -6 },
  { -6, 20, -8, 16, -8, 20, -6, 32 },
}

-- The numbers of the nodes of the element in column p and row q. Nodes are numbered row by row:
-- 2*nx + 1 along a row of corners, then nx + 1 in the middles of the sides above it.
local function nodes_of(p, q, nx)
  local bottom = (q - 1) * (3 * nx + 2) + 2 * p - 1
  local middle = (q - 1) * (3 * nx + 2) + 2 * nx + 1 + p
  local top = q * (3 * nx + 2) + 2 * p - 1
  return { bottom, bottom + 1, bottom + 2, middle + 1, top + 2, top + 1, top, middle }
end

-- The Wathen matrix, with densities from math.random.
local function wathen(nx, ny)
  local i, j, value = {}, {}, {}
  for q = 1, ny do
    for p = 1, nx do
      local density = 100 * math.random()
      local node = nodes_of(p, q, nx)
      for k = 1, 8 do
        for m = 1, 8 do
          if node[m] <= node[k] then -- the lower triangle; sparse.matrix adds the upper one
            local next = #value + 1
            i[next], j[next], value[next] = node[k], node[m], element[k][m] / 45 * density
          end
        end
      end
    end
  end
  local n = 3 * nx * ny + 2 * nx + 2 * ny + 1
  return sparse.matrix(n, n, i, j, value, true)
end

-- A vector of n random elements.
local function random_vector(n)
  local list = {}
  for k = 1, n do
    list[k] = math.random()
  end
  return sparse.vector(list)
end

local nx, ny = math.tointeger(tonumber(arg[1])), math.tointeger(tonumber(arg[2]))
local seed = math.tointeger(tonumber(arg[3] or 1))
if not nx or not ny or nx < 1 or ny < 1 or not seed or (arg[4] and not arg[5]) then
  error("usage: wathen.lua nx ny [seed] [A.mtx b.mtx], with integers; for example wathen.lua 60 60",
    0)
end
local A_file, b_file = arg[4] or "A.mtx", arg[5] or "b.mtx"

math.randomseed(seed)
local A = wathen(nx, ny)
local b = random_vector(A.rows)
local made = string.format("wathen.lua %d %d %d", nx, ny, seed)
sparse.write_matrix(A_file, A, made)
sparse.write_vector(b_file, b, made)
print(string.format("%s: %s", A_file, A))
print(string.format("%s: vector of %d", b_file, #b))
