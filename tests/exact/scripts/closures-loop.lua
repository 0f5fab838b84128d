-- Closures over loop variables: a fresh one in each pass, shared by the closures of that pass.
local get, set = {}, {}
for i = 1, 15 do
    local j = i * 100
    get[i] = function() return i, j end
    set[i] = function(d)
        i = i + d
        j = j - d
    end
end
for i = 1, 15 do
    set[i](i)
    set[i](1)
end
for i = 1, 15 do print(i, get[i]()) end

local by = {}
for k, v in ipairs { "x", "y", "z" } do
    by[#by + 1] = function() k = k + 1 v = v .. k return k, v end
end
for _ = 1, 3 do
    for n = 1, #by do print(by[n]()) end
end

local i, whiles = 0, {}
while i < 10 do
    i = i + 1
    local x <const> = i * 3
    local y = x
    whiles[i] = function() y = y + x return x, y, i end
    if i % 4 == 0 then whiles[i]() end
end
for n = 1, #whiles do print(whiles[n]()) end

-- the closure is made while the loop goes on, and changes the variable that the body reads
for a = 1, 5 do
    local bump = function() a = a * 2 end
    for _ = 1, 3 do
        bump()
        io.write(a, " ")
    end
end
print()
