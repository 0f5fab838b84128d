-- Needs Z, L: a greedy colouring in the order of sets of objects gives other colours in another order.
local function graph(n, round)
    local nodes = {}
    for i = 1, n do nodes[i] = { id = i, near = {} } end
    for i = 1, n do
        for j = 1, 4 do
            local k = (i * (j + 2) + round * j) % n + 1
            if k ~= i then
                nodes[i].near[nodes[k]] = true
                nodes[k].near[nodes[i]] = true
            end
        end
    end
    return nodes
end
for round = 1, 40 do
    local nodes, left, most, sum = graph(40 + round, round), {}, 0, 0
    for _, node in ipairs(nodes) do left[node] = true end
    while next(left) do
        local best, degree
        for node in pairs(left) do
            local d = 0
            for other in pairs(node.near) do if other.colour then d = d + 1 end end
            if not best or d > degree then best, degree = node, d end
        end
        left[best] = nil
        local used, colour = {}, 1
        for other in pairs(best.near) do used[other.colour or 0] = true end
        while used[colour] do colour = colour + 1 end
        best.colour = colour
        most = math.max(most, colour)
        sum = (sum * 7 + best.id * colour) % 1000003
    end
    print(round, most, sum)
end
