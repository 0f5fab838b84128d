-- Strings: built, formatted, searched by pattern, joined, counted in a table.

local rounds = tonumber(arg and arg[1]) or 600

local words = {}
for i = 1, 2000 do
  words[i] = string.format("w%05d%s", i * 7919 % 2003, ("xyz"):rep(i % 5))
end

local count, length = {}, 0
for round = 1, rounds do
  local parts = {}
  for i, word in ipairs(words) do
    parts[#parts + 1] = word .. "-" .. (i + round)
  end
  local text = table.concat(parts, " ")
  for word, number in text:gmatch("(%a%w*)%-(%d+)") do
    count[word] = (count[word] or 0) + #number
  end
  local shouted = text:gsub("xyz", "XYZ"):upper():reverse()
  length = length + #shouted + (shouted:find("10000W", 1, true) or 0)
  for i = 1, 20000, 3 do
    length = length + shouted:byte(i) + #shouted:sub(i, i + 9)
  end
end

local distinct = 0
for _ in pairs(count) do
  distinct = distinct + 1
end
print(distinct, length)
