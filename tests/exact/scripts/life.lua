-- Conway's game of life on a torus, drawn each few generations; strings built character by character.
local w, h = 12, 8
local function new() local g = {} for y = 1, h do g[y] = {} for x = 1, w do g[y][x] = 0 end end return g end
local grid = new()
for y, row in ipairs { ".#", "..#", "###" } do
    for x = 1, #row do if row:sub(x, x) == "#" then grid[y][x] = 1 end end
end
for x = 7, 9 do grid[6][x] = 1 end
local function step(g)
    local n, alive = new(), 0
    for y = 1, h do
        local up, same, down = g[(y - 2) % h + 1], g[y], g[y % h + 1]
        for x = 1, w do
            local l, r = (x - 2) % w + 1, x % w + 1
            local s = up[l] + up[x] + up[r] + same[l] + same[r] + down[l] + down[x] + down[r]
            if s == 3 or s == 2 and same[x] == 1 then
                n[y][x] = 1
                alive = alive + 1
            end
        end
    end
    return n, alive
end
for generation = 1, 10 do
    local alive
    grid, alive = step(grid)
    if generation % 5 == 0 then
        print(generation, alive)
        for y = 1, h do
            local line = ""
            for x = 1, w do line = line .. (grid[y][x] == 1 and "#" or ".") end
            print(line)
        end
    end
end
