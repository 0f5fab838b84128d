-- Needs Z (and G where garbage was): the addresses of tables, as %p and tostring show them.
local function address(o) return tonumber(("%p"):format(o):sub(3), 16) end
local kept, base = {}, {}
print(base, ("%p"):format(base) == tostring(base):match("0x%x+"))
for round = 1, 50 do
    for i = 1, 200 do
        local t = i % 3 == 0 and { i, i, i } or i % 3 == 1 and { x = i } or {}
        if i % 10 == 0 then kept[#kept + 1] = t end
    end
    local digest = 0
    for _, t in ipairs(kept) do digest = (digest * 31 + address(t)) & 0xFFFFFFFFFFFF end
    print(round, kept[#kept], ("%p"):format(kept[round]), digest)
    if round % 5 == 0 then
        for i = #kept, 1, -3 do table.remove(kept, i) end
        collectgarbage()
    end
end
table.sort(kept, function(a, b) return address(a) < address(b) end)
local sizes = {}
for i, t in ipairs(kept) do sizes[i] = #t end
print(table.concat(sizes))
