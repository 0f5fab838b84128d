-- A key that a loop has removed, and that is there again later, is not forgotten.
local function count(t)
  local n = 0
  for _ in pairs(t) do n = n + 1 end
  return n
end

local t = {}
for i = 1, 8 do t["key" .. i] = i end
for round = 1, 3 do
  local removed = {}
  for k, v in pairs(t) do
    if #removed < 2 then
      removed[#removed + 1] = {k, v}
      t[k] = nil
      for i = 1, 20 do removed.i = i end
    end
  end
  print(round, count(t))
  for _, pair in ipairs(removed) do t[pair[1]] = pair[2] end
  print(round, count(t))
  local seen = 0
  for k, v in pairs(t) do
    assert(k == "key" .. v)
    seen = seen + v
  end
  print(seen)
end
