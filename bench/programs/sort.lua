-- Tables: filled with pseudo-random numbers, sorted with and without a comparison function, looked
-- up by number and by string.

local size = tonumber(arg and arg[1]) or 200000

local state = 42
local function random(limit)
  state = (state * 1103515245 + 12345) & 0x7fffffff
  return (state >> 8) % limit
end

local numbers = {}
for i = 1, size do
  numbers[i] = random(1 << 20)
end
table.sort(numbers)

local records = {}
for i = 1, size do
  records[i] = { key = random(1 << 20), index = i }
end
table.sort(records, function(a, b)
  if a.key ~= b.key then
    return a.key < b.key
  end
  return a.index < b.index
end)

local by_name, hits = {}, 0
for i = 1, size do
  by_name["k" .. records[i].key] = i
end
for _ = 1, 5 * size do
  if by_name["k" .. random(1 << 20)] then
    hits = hits + 1
  end
end
while #numbers > size / 2 do
  table.remove(numbers)
end
print(#numbers, numbers[#numbers // 2], records[1].key, hits)
