-- Graphs of tables: lists with cycles, parents, shared parts; identity must stay what it was.
local list, map = nil, {}
for i = 1, 60 do
    list = { next = list, value = i, self = nil }
    list.self = list
    map[list] = i
    map[i] = list
end
local node, sum, n = list, 0, 0
while node do
    sum = sum + node.value * map[node]
    n = n + 1
    assert(node.self == node and map[node.value] == node)
    node = node.next
end
print(n, sum)
local function reverse(l)
    local r
    while l do l.next, r, l = r, l, l.next end
    return r
end
list = reverse(list)
print(list.value, list.next.value, map[1] == list)
-- a doubly linked ring with a closure on each node
local ring
for i = 1, 15 do
    local new = { v = i }
    new.get = function() return new.v + (new.right and new.right.v or 0) end
    if ring then
        new.left, new.right = ring, ring.right
        ring.right.left, ring.right = new, new
    else
        new.left, new.right = new, new
    end
    ring = new
end
for i = 1, 30 do
    io.write(ring.get(), " ")
    if i % 4 == 0 then
        ring.left.right, ring.right.left = ring.right, ring.left
        ring = ring.left
    else
        ring = ring.right
        ring.v = ring.v + 1
    end
end
print()
local seen = {}
local function count(t)
    if type(t) ~= "table" or seen[t] then return 0 end
    seen[t] = true
    return 1 + count(t.left) + count(t.right) + count(t.next)
end
print(count(ring), count(list), count(map[30]))
local shared = { "shared" }
local a, b = { shared, shared }, { shared, x = {} }
b.x.y = a
a.z = b
shared[2] = b.x
print(a[1] == a[2], a.z.x.y == a, shared[2].y.z[1] == shared, rawequal(a[1], b[1]), #a, #b)
