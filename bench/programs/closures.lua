-- Functions made while the program runs: counters, composition, upvalues that are shared.

local rounds = tonumber(arg and arg[1]) or 4500000

local function counter(start)
  local count = start
  return function(step)
    count = count + step
    return count
  end, function()
    return count
  end
end

local function compose(f, g)
  return function(x)
    return f(g(x))
  end
end

local function add(n)
  return function(x)
    return x + n
  end
end

local sum = 0
for i = 1, rounds do
  local step, value = counter(i)
  step(1)
  step(2)
  local both = compose(step, add(i & 7))
  sum = (sum + both(3) + value()) % 1000003
end
print(sum)
