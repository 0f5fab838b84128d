-- Matrices: products, powers, elimination with pivots, determinant; all in nested loops.
local function new(n, f)
    local m = {}
    for i = 1, n do
        m[i] = {}
        for j = 1, n do m[i][j] = f(i, j) end
    end
    return m
end
local function mul(a, b)
    local n = #a
    return new(n, function(i, j)
        local s = 0
        for k = 1, n do s = s + a[i][k] * b[k][j] end
        return s
    end)
end
local function show(m) for i = 1, #m do print(table.concat(m[i], " ")) end end
local fib = { { 1, 1 }, { 1, 0 } }
local p = new(2, function(i, j) return i == j and 1 or 0 end)
for i = 1, 30 do
    p = mul(p, fib)
    if i % 10 == 0 then show(p) end
end
local a = new(6, function(i, j) return (i * 7 + j * j * 3) % 11 - 5 end)
show(mul(a, a))
local function solve(m, b)
    local n, det = #m, 1
    for c = 1, n do
        local best = c
        for r = c + 1, n do if math.abs(m[r][c]) > math.abs(m[best][c]) then best = r end end
        if m[best][c] == 0 then return nil, 0 end
        if best ~= c then
            m[c], m[best], b[c], b[best], det = m[best], m[c], b[best], b[c], -det
        end
        det = det * m[c][c]
        for r = c + 1, n do
            local f = m[r][c] / m[c][c]
            for k = c, n do m[r][k] = m[r][k] - f * m[c][k] end
            b[r] = b[r] - f * b[c]
        end
    end
    local x = {}
    for i = n, 1, -1 do
        local s = b[i]
        for k = i + 1, n do s = s - m[i][k] * x[k] end
        x[i] = s / m[i][i]
    end
    return x, det
end
for n = 2, 8 do
    local x, det = solve(new(n, function(i, j) return 1 / (i + j - 1) + (i == j and 1 or 0) end), { 1, 2, 3, 4, 5, 6, 7, 8 })
    for i = 1, n do x[i] = string.format("%.12g", x[i]) end
    print(n, string.format("%.15g", det), table.concat(x, " "))
end
print(solve({ { 1, 2 }, { 2, 4 } }, { 1, 1 }))
