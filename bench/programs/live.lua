-- A large heap: 200 MB of small tables, half of which are replaced again and again.

local size = tonumber(arg and arg[1]) or 900000

local all = {}
for i = 1, size do
  all[i] = { i, x = i }
end
local sum = 0
for round = 1, 2 do
  for i = round, size, 2 do
    sum = (sum + all[i].x) % 1000003
    all[i] = { i, x = round }
  end
end
print(sum, #all)
