-- Needs L: the length of tables with holes: any border would do, but it must be the one of an unbroken run.
local function fill(n, every)
    local t = {}
    for i = 1, n do if i % every ~= 0 then t[i] = i end end
    return t
end
for n = 5, 30, 5 do
    for every = 2, 5 do
        local t = fill(n, every)
        io.write(#t, " ")
        t[n + 3] = "far"
        io.write(#t, " ")
        for i = n, 1, -3 do t[i] = nil end
        io.write(#t, " ")
        t[#t + 1] = "next"
        t[#t + 1] = "again"
        io.write(#t, ";")
    end
    print(n)
end
local made = { 1, 2, nil, 4, nil, 6, [10] = 10, [7] = 7, nil, 8 }
local packed = table.pack(nil, 2, nil, 4)
for i = 1, 12 do
    io.write(#made, " ", #packed, " ", select("#", table.unpack(made)), ";")
    made[i * 5 % 13] = i
    packed[i * 7 % 9] = i
    made[i * 3 % 11] = nil
end
print()
local queue, first, lengths = {}, 1, {}
for i = 1, 40 do
    queue[#queue + 1] = i
    if i % 3 == 0 then
        queue[first] = nil
        first = first + 1
    end
    lengths[i] = #queue
end
print(table.concat(lengths, " "))
