-- Comes to its error after a while, at the bottom of some calls, with all that it has printed.

local function depth(n)
  if n > 0 then return 1 + depth(n - 1) end
  local sum = 0
  for i = 1, tonumber(arg[1]) do
    sum = (sum * 31 + i) % 1000003
    if i % 1000000 == 0 then print(i, sum) end
  end
  local file <close> = assert(io.open("result.txt", "w"))
  file:write(sum, "\n")
  return sum .. nil
end

print(pcall(depth, 0))
depth(5)
