-- Loops over what ckptlua has of its own, under both: seconds of CPU for each, in rounds.
--     calls.lua ROUNDS
local map = {}
for i = 1, 1000 do
  map["key" .. i] = i
end
local text = ("word "):rep(2000)

local function nothing() end

local loops = {
  pairs = function()
    local sum = 0
    for _ = 1, 1000 do
      for _, v in pairs(map) do sum = sum + v end
    end
  end,
  next = function()
    local sum = 0
    for _ = 1, 1000 do
      local k, v = next(map)
      while k do
        sum = sum + v
        k, v = next(map, k)
      end
    end
  end,
  pcall = function()
    for _ = 1, 1000000 do pcall(nothing) end
  end,
  wrap = function()
    local yield = coroutine.yield
    local step = coroutine.wrap(function()
      while true do yield() end
    end)
    for _ = 1, 1000000 do step() end
  end,
  resume = function()
    local resume, yield = coroutine.resume, coroutine.yield
    local co = coroutine.create(function()
      while true do yield() end
    end)
    for _ = 1, 1000000 do resume(co) end
  end,
  gmatch = function()
    local count = 0
    for _ = 1, 300 do
      for _ in text:gmatch("%a+") do count = count + 1 end
    end
  end,
}

local names = { "pairs", "next", "pcall", "wrap", "resume", "gmatch" }
for _ = 1, tonumber(arg[1]) do
  for _, name in ipairs(names) do
    local start = os.clock()
    loops[name]()
    print(name, os.clock() - start)
  end
  print("")
end
