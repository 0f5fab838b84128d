-- A binary heap, Dijkstra on a grid, a discrete event simulation: arrays that are shuffled all the time.
local function push(h, key, v)
    local i = #h + 1
    while i > 1 and h[i // 2][1] > key do h[i], i = h[i // 2], i // 2 end
    h[i] = { key, v }
end
local function pop(h)
    local top, last = h[1], table.remove(h)
    if #h > 0 then
        local i = 1
        while true do
            local c = 2 * i
            if c > #h then break end
            if c < #h and h[c + 1][1] < h[c][1] then c = c + 1 end
            if h[c][1] >= last[1] then break end
            h[i], i = h[c], c
        end
        h[i] = last
    end
    return top[1], top[2]
end
local size, h, best, from = 9, {}, { 0 }, {}
push(h, 0, 1)
while #h > 0 do
    local d, at = pop(h)
    if d > best[at] then goto next end
    local x, y = (at - 1) % size, (at - 1) // size
    for _, step in ipairs { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } } do
        local nx, ny = x + step[1], y + step[2]
        if nx >= 0 and ny >= 0 and nx < size and ny < size then
            local n, cost = ny * size + nx + 1, d + 1 + (nx * 5 + ny * 11) % 7
            if cost < (best[n] or math.huge) then
                best[n], from[n] = cost, at
                push(h, cost, n)
            end
        end
    end
    ::next::
end
for y = 0, size - 1 do print(table.concat(best, " ", y * size + 1, y * size + size)) end
local at, path = size * size, {}
while at do
    table.insert(path, 1, at)
    at = from[at]
end
print(table.concat(path, ">"))
local events, log, now = {}, {}, 0
local function after(d, f) push(events, now + d + #log / 1000, f) end
local function worker(name, period, times)
    local n = 0
    local function tick()
        n = n + 1
        log[#log + 1] = name .. n
        if n < times then after(period, tick) end
    end
    after(period, tick)
end
worker("a", 3, 6)
worker("b", 5, 4)
worker("c", 2, 9)
while #events > 0 do
    local time, f = pop(events)
    now = time
    f()
end
print(now, table.concat(log, " "))
