-- Makes a log, and reads it again and again: io.lines in a coroutine, patterns, gsub with
-- functions, sorting with a comparison, a report that is written to a file.

local rounds, lines = tonumber(arg[1]), tonumber(arg[2])
math.randomseed(99)

do
  local paths = { "/", "/index.html", "/a/b?x=1&y=2", "/img/cat.png", "/find?q=a%20b+c&x=7" }
  local codes = { 200, 200, 200, 404, 500 }
  local file <close> = assert(io.open("access.log", "w"))
  for _ = 1, lines do
    file:write(('10.0.%d.%d - - [%02d/Nov/2026] "GET %s HTTP/1.1" %d %d\n'):format(
      math.random(0, 9), math.random(0, 255), math.random(30), paths[math.random(#paths)],
      codes[math.random(5)], math.random(100, 100000)))
  end
end

local function decode(text)
  text = text:gsub("+", " ")
  return (text:gsub("%%(%x%x)", function(digits) return string.char(tonumber(digits, 16)) end))
end

local function query(path)
  local fields = {}
  for name, value in path:gmatch("(%w+)=([^&]*)") do
    fields[name] = decode(value)
  end
  return fields
end

local function entries(name)
  return coroutine.wrap(function()
    for line in io.lines(name) do
      local ip, day, path, code, bytes =
        line:match('^(%S+) %- %- %[(%d+)/%a+/%d+%] "%u+ (%S+) [^"]+" (%d+) (%d+)$')
      coroutine.yield {
        ip = ip, day = tonumber(day), query = query(path), code = code,
        bytes = math.tointeger(bytes),
      }
    end
  end)
end

local report = assert(io.open("report.txt", "w"))
for round = 1, rounds do
  local by_ip, by_code, words = {}, {}, {}
  for entry in entries("access.log") do
    by_ip[entry.ip] = (by_ip[entry.ip] or 0) + entry.bytes
    by_code[entry.code] = (by_code[entry.code] or 0) + entry.day
    if entry.query.q then words[#words + 1] = entry.query.q:upper() .. (entry.query.x or "") end
  end
  local ips = {}
  for ip in pairs(by_ip) do
    ips[#ips + 1] = ip
  end
  table.sort(ips, function(a, b)
    if by_ip[a] ~= by_ip[b] then return by_ip[a] > by_ip[b] end
    return a < b
  end)
  local top = {}
  for i = 1, 3 do
    top[i] = ("%s=%d"):format(ips[i], by_ip[ips[i]])
  end
  report:write(("round %d: %s; %d days; %d words\n"):format(round, table.concat(top, " "),
    by_code["404"], #table.concat(words)))
  print(("round %2d  %-12s of %d"):format(round, ips[1], #ips))
end
report:close()
