-- Needs S, L, and G for the keys that are set again: a random history of insertions and removals.
local seed, hash = 12345, 0
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local function note(text)
    for i = 1, #text do hash = (hash * 31 + text:byte(i)) & 0xFFFFFFFF end
end
local t, present = {}, 0
for step = 1, 12000 do
    local key = "name" .. random(300)
    if t[key] == nil then
        if random(3) > 1 then
            t[key] = step
            present = present + 1
        end
    elseif random(2) == 1 then
        t[key] = nil
        present = present - 1
    else
        t[key] = -step
    end
    if step % 150 == 0 then
        for k, v in pairs(t) do note(k .. v) end
        print(step, present, next(t), hash)
    end
end
