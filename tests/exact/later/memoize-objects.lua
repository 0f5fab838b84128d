-- Needs Z, G: results are kept by object, as long as the object lives; computed again otherwise.
local computed, memo = 0, setmetatable({}, { __mode = "k" })
local function area(shape)
    local known = memo[shape]
    if known then return known.area end
    computed = computed + 1
    local sum = 0.0
    for _, p in ipairs(shape.parts or {}) do sum = sum + area(p) end
    memo[shape] = { area = sum + shape.w * shape.h, shape = shape }
    return memo[shape].area
end
local shapes = {}
for round = 1, 100 do
    for i = 1, 20 do
        local shape = { w = i / 7, h = round / 3 }
        if #shapes > 4 then shape.parts = { shapes[(i * round) % #shapes + 1], shapes[#shapes] } end
        if #(shape.parts or {}) > 0 and i % 6 ~= 0 then shape.parts[1] = nil end
        shapes[(i + round * 3) % 40 + 1] = shape
        for j = 1, 40 do shapes[j] = shapes[j] or shape end
    end
    for _, s in ipairs(shapes) do s.parts = round % 10 == 0 and {} or s.parts end
    local total, count = 0.0, 0
    for i = 1, #shapes, 3 do total = total + area(shapes[i]) end
    for _ in pairs(memo) do count = count + 1 end
    if round % 5 == 0 then print(round, computed, count, ("%.10g"):format(total)) end
end
