-- Multiple assignment: evaluation order, swaps, conflicts with locals used as table and index.
local function t3(x) return x, x + 1, x + 2 end
local a, b, c = 1, 2, 3
for i = 1, 15 do
    a, b, c = b, c, a
    a, b = b + i, a - i
    local t, j = { 10, 20, 30 }, 1
    j, t[j] = j + 1, 99
    t[j], j = j, t[j]
    local u = t
    t, t[1] = { 5 }, 77
    u[1], u[2], u[3] = u[3], u[1]
    local x, y, z = t3(i)
    x, y, z = (t3(x)), t3(y)
    local m <const>, n = 4, t3(i), "dropped"
    t.p, t.q, t.r, t.s = t3(n)
    print(a, b, c, j, u[1], u[2], u[3], t[1], x, y, z, m, n, t.p, t.r, t.s)
end
local trace = {}
local function note(name, v) trace[#trace + 1] = name return v end
local proxy = function(name)
    return setmetatable({}, { __newindex = function(_, k, v) trace[#trace + 1] = name .. "." .. k .. "=" .. tostring(v) end,
        __index = function(_, k) trace[#trace + 1] = "get " .. name .. "." .. k return k .. "!" end })
end
local p, q = proxy "p", proxy "q"
for i = 1, 4 do
    p[note("k1", i)], q[note("k2", "x")], p.z = note("v1", 1), note("v2", 2), note("v3", 3)
    p.a, q.b = q.c, p.d, q.e
    p.x, p.y = t3(i)
    p.only = note("late", nil)
end
print(table.concat(trace, " "))
local function frame()
    local v1, v2, v3, v4 = 1, 2
    local function set() v1, v2, v3, v4 = v4, v3, v2, v1 return v1, v2 end
    for _ = 1, 5 do
        v3, v4 = set()
        v1 = (v1 or 0) + 1
        v1, v3 = set()
    end
    return v1, v2, v3, v4
end
print(frame())
local i, arr = 3, {}
i, arr[i] = i + 1, 20
print(i, arr[3], arr[4])
do local x <const>, y <close>, z = 1, nil, 3 print(x, y, z) end
local g1, g2
G1, g1, G2, g2 = 1, G1, 3, G2
G1, G2 = G2, G1
print(G1, g1, G2, g2)
