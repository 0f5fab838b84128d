-- Needs S, L, G: loops by hand over next whose current key has just been removed.
local function fill(n, prefix)
    local t = {}
    for i = 1, n do t[prefix .. i] = i end
    return t
end
local hash = 0
for round = 1, 150 do
    local t, k, v, seen = fill(30 + round % 20, "r" .. round % 7 .. "x"), nil, nil, 0
    repeat
        local previous = k
        k, v = next(t, k)
        if previous and seen % 3 == 0 then t[previous] = nil end
        if k then
            seen = seen + 1
            hash = (hash * 31 + v * seen) & 0xFFFFFFFF
            if v % 5 == round % 5 then t[k] = nil end
        end
    until k == nil
    local left = 0
    for _ in pairs(t) do left = left + 1 end
    k = next(t)
    while k do
        t[k] = nil
        local garbage = { k, k .. "garbage" }
        hash = (hash + #garbage[2]) & 0xFFFFFFFF
        k = next(t, k)
    end
    print(round, seen, left, next(t), hash)
end
