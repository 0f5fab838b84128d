-- Walks that remove the key at which they are, which the collector then makes a dead one: short and
-- long strings, also such as nothing else has, and steps by hand.
local function made(form, n)
    local t = {}
    for i = 1, n do t[form:format(i)] = i end
    return t
end
local forms = { "%d", "key %d", "a key that is longer than the strings of which there is only one: %d" }
for _, form in ipairs(forms) do
    local t = made(form, 9)
    for k, v in pairs(t) do
        t[k] = nil
        collectgarbage()
        io.write(v, " ")
    end
    print(next(t))
    t = made(form, 7)
    local k, v = next(t)
    while k do
        local kept = { key = k } -- only this one has it
        t[k], k = nil, nil
        collectgarbage()
        io.write(v, " ")
        k, v = next(t, kept.key)
    end
    print(next(t))
    t = made(form, 6)
    for key in pairs(t) do
        t[key] = nil
        collectgarbage()
        t[key .. "!"] = nil
        io.write(#key, " ")
    end
    print()
end
