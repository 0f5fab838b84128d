-- Needs S, L: the sum of floats over pairs depends on the order in its last bits.
local function shown(x) return ("%a"):format(x) end
local weights = {}
for i = 1, 400 do weights["w" .. i * 7919 % 1009] = math.sin(i) * 10.0 ^ (i % 17 - 8) end
for round = 1, 60 do
    local sum, product, norm = 0.0, 1.0, 0.0
    for _, w in pairs(weights) do
        sum = sum + w
        product = product * (1 + w * 1e-9)
        norm = norm + w * w
    end
    for k, w in pairs(weights) do
        weights[k] = w - sum / 1e4
        if w > 1e7 then weights[k] = nil end
    end
    weights["new" .. round] = 1 / round
    print(round, shown(sum), shown(product), shown(math.sqrt(norm)))
end
