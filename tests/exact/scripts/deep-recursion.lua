-- Recursion: five thousand frames deep, with something to do on the way back in each.
local function depth(n, acc)
    if n == 0 then return acc, 0 end
    local r, d = depth(n - 1, acc + n)
    return r, d + 1
end
print(depth(5000, 0))
local function ack(m, n)
    if m == 0 then return n + 1 end
    if n == 0 then return ack(m - 1, 1) end
    return ack(m - 1, ack(m, n - 1))
end
print(ack(2, 3))
