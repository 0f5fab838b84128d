-- break out of each kind of loop, nested in each other, with values computed on the way.
local out = {}
local function put(...) out[#out + 1] = table.concat({ ... }, ".") end
for i = 1, 6 do
    local n = 0
    while true do
        n = n + 1
        if n > i then break end
        repeat
            n = n + 1
            for j = n, n + 3 do
                if j % 4 == 0 then break end
                for k, v in ipairs { 3, 1, 4, 1, 5 } do
                    if v == j then break end
                    if k == i then put(i, n, j, k) break end
                end
                if j > 6 then break end
            end
            if n % 3 == i % 3 then break end
        until n > 4
        put(i, n)
    end
    if #out > 60 then break end
end
print(#out)
for i = 1, #out do io.write(out[i], i % 10 == 0 and "\n" or " ") end
print()
-- primes by trial division
local primes = {}
for n = 2, 120 do
    local prime = true
    for _, p in ipairs(primes) do
        if p * p > n then break end
        if n % p == 0 then
            prime = false
            break
        end
    end
    if prime then primes[#primes + 1] = n end
end
print(table.concat(primes, " "))
