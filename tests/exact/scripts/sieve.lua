-- The sieve of Eratosthenes, and sums over what it leaves.
local n = 1200
local composite = {}
for i = 2, n do
    if not composite[i] then
        for j = i * i, n, i do composite[j] = true end
    end
end
local primes, twins, sum = {}, 0, 0
for i = 2, n do
    if not composite[i] then
        if primes[#primes] == i - 2 then twins = twins + 1 end
        primes[#primes + 1] = i
        sum = sum + i * #primes
        if #primes % 20 == 0 then print(#primes, i, sum, twins) end
    end
end
print(#primes, sum, twins)
local goldbach = {}
for even = 4, 60, 2 do
    for _, p in ipairs(primes) do
        if p > even // 2 then break end
        if not composite[even - p] then
            goldbach[#goldbach + 1] = even .. "=" .. p .. "+" .. even - p
            break
        end
    end
end
print(table.concat(goldbach, " "))
