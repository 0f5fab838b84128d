-- pcall returning through loops: loop state in the frames below and above a protected call.
local function work(i, j)
    local s = 0
    for k = i, j do
        for _, v in ipairs { k, k + 1, k + 2 } do
            if v == 13 then error("thirteen") end
            if v == 17 then return s, "seventeen" end
            s = s + v
        end
    end
    return s
end
for i = 1, 10, 3 do
    for j = i, 20, 5 do print(i, j, pcall(work, i, j)) end
end
local function retry(f, times)
    local problems = {}
    for attempt = 1, times do
        local r = table.pack(pcall(f, attempt))
        if r[1] then return attempt, #problems, table.unpack(r, 2, r.n) end
        problems[#problems + 1] = r[2]
    end
    return nil, table.concat(problems, "; ")
end
for need = 1, 6 do
    print(retry(function(n) if n < need then error("too early " .. n, 0) end return need, n end, 4))
end
local function find(t, x)
    local ok, e = pcall(function()
        for i, row in ipairs(t) do
            for j, v in ipairs(row) do
                if v == x then error { i, j } end
            end
        end
    end)
    if ok then return "none" end
    return e[1], e[2]
end
local grid = {}
for i = 1, 6 do
    grid[i] = {}
    for j = 1, 6 do grid[i][j] = (i * 7 + j * 5) % 36 end
end
for x = 0, 35, 4 do print(x, find(grid, x)) end
