-- Needs L: what table.concat, insert, remove, move, unpack and sort make of tables with holes.
local function holes(n, step)
    local t = {}
    for i = 1, n do if i % step ~= 0 then t[i] = i end end
    return t
end
local function try(f, ...)
    local ok, result = pcall(f, ...)
    return ok and tostring(result) or "no"
end
for n = 4, 60 do
    local words = {}
    for step = 2, 9 do
        local t = holes(n, step)
        words[#words + 1] = #t
        t[n + 2] = 0
        words[#words + 1] = #t
        words[#words + 1] = try(table.concat, t, ",", 1, math.min(#t, 3))
        words[#words + 1] = try(table.remove, t)
        words[#words + 1] = try(table.insert, t, 7)
        words[#words + 1] = #table.move(t, 2, #t, 1)
        words[#words + 1] = select("#", table.unpack(t))
        words[#words + 1] = #table.pack(table.unpack(t))
        for i = #t, 1, -2 do t[i] = nil end
        words[#words + 1] = #t
        t[#t + 1] = 1
        words[#words + 1] = #t
    end
    print(n, table.concat(words, " "))
end
