-- Needs S, L, G: long strings made again and again, tables that are kept by them, a weak index.
local index, pages = setmetatable({}, { __mode = "v" }), {}
local made = 0
local function page(n)
    local text = ("page %04d of a book whose pages are long strings"):format(n)
    local found = index[text]
    if not found then
        made = made + 1
        found = { text = text, words = {} }
        for w in text:gmatch("%a+") do found.words[w] = (found.words[w] or 0) + #w end
        index[text] = found
    end
    return found
end
for round = 1, 80 do
    local sum = 0
    for i = 1, 60 do
        local p = page((i * round * 7) % 500)
        pages[(i + round) % 50 + 1] = p
        for _, n in pairs(p.words) do sum = sum * 3 % 10007 + n end
    end
    local left, last = 0, nil
    for text in pairs(index) do left, last = left + 1, text end
    if round % 4 == 0 then print(round, made, sum, left, last) end
end
