-- Needs S, L, G: long strings are objects; equal ones are one key, the dead ones are found by address.
local function long(i) return ("a long string of more than forty characters, number %06d"):format(i) end
local t, removed, hash = {}, 0, 0
local function digest(limit)
    local n = 0
    for k, v in pairs(t) do
        n = n + 1
        if n > limit then break end
        hash = (hash * 31 + v * 7 + tonumber(k:sub(-6))) & 0xFFFFFFFF
    end
    return hash
end
for round = 1, 40 do
    for i = round, round + 60 do t[long(i * 13 % 400)] = i end
    for i = round, round + 40, 3 do
        local key = long(i * 13 % 400)
        if t[key] then
            t[key] = nil
            removed = removed + 1
        end
    end
    local last
    for k, v in pairs(t) do
        if v % 11 == round % 11 then
            t[k] = nil
            last = k
        end
    end
    local again = last and last:sub(1, -1)
    if again and round % 2 == 0 then t[again .. ""] = round end
    print(round, removed, digest(1000), (next(t)))
end
