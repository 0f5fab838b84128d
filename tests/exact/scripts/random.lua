-- math.random with a fixed seed: integers, ranges, floats, shuffles; reseeding, in a coroutine too.
math.randomseed(42)
for _ = 1, 10 do io.write(math.random(100), " ", math.random(-5, 5), " ", string.format("%.17g", math.random()), " ") end
print()
print(math.random(0), math.random(math.mininteger, math.maxinteger), math.random(3, 3))
local deck = {}
for i = 1, 30 do deck[i] = i end
for i = #deck, 2, -1 do
    local j = math.random(i)
    deck[i], deck[j] = deck[j], deck[i]
end
print(table.concat(deck, " "))
local counts = {}
for _ = 1, 300 do
    local r = math.random(6)
    counts[r] = (counts[r] or 0) + 1
end
print(table.concat(counts, " "))
local co = coroutine.wrap(function() while true do coroutine.yield(math.random(1000)) end end)
for i = 1, 20 do
    io.write(co(), " ")
    if i == 10 then math.randomseed(7, 9) end
end
print()
math.randomseed(42)
print(math.random(100), math.random(100))
math.randomseed(1.0)
print(math.random(100))
print(pcall(math.random, 2, 1), pcall(math.random, 0.5))
local walk, x, y = {}, 0, 0
for i = 1, 100 do
    local d = math.random(4)
    if d == 1 then x = x + 1 elseif d == 2 then x = x - 1 elseif d == 3 then y = y + 1 else y = y - 1 end
    if i % 10 == 0 then walk[#walk + 1] = x .. "," .. y end
end
print(table.concat(walk, " "))
