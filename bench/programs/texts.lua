-- Short strings only: made, looked up, and forgotten.

local rounds = tonumber(arg and arg[1]) or 1530000

local seen, count = {}, 0
for i = 1, rounds do
  local text = "k" .. i % 50021 .. "/" .. i % 7
  if not seen[text] then
    seen[text] = i
    count = count + 1
  end
  if count == 100000 then
    seen, count = {}, 0
  end
end
print(count, rounds)
