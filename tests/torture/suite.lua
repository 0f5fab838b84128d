-- Runs other scripts again and again, each in a coroutine below pcall: suite.lua ROUNDS FILE...

local rounds = tonumber(arg[1])
local names = table.pack(table.unpack(arg, 2))

for round = 1, rounds do
  for _, name in ipairs(names) do
    local script = assert(loadfile(name))
    local run = coroutine.wrap(function() return true, pcall(script) end)
    local ended, ok, message
    repeat
      ended, ok, message = run()
    until ended == true
    print(round, name, ok, message)
  end
end
os.exit(7)
