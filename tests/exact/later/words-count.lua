-- Needs S, L: words are counted; of those with the same count the first that pairs gives is taken.
local text = [[the order of a table is the order in which its nodes lie and the nodes lie where the hash of the
key and the history of the table have put them so that a sum over all of them or a choice of the first of them
is another one in another process if the seed of the hash is another one or the table was filled in another way]]
local counts = {}
local function top(n)
    local list = {}
    for w, c in pairs(counts) do
        local i = #list + 1
        while i > 1 and list[i - 1].c < c do i = i - 1 end
        table.insert(list, i, { w = w, c = c })
        if #list > n then list[#list] = nil end
    end
    local words = {}
    for i, e in ipairs(list) do words[i] = e.w .. e.c end
    return table.concat(words, " ")
end
local round = 0
for length = 1, 7 do
    for prefix = 1, 12 do
        round = round + 1
        for w in text:gmatch("%a+") do
            local key = w:sub(1, length) .. w:sub(-(prefix % 3) - 1)
            counts[key] = (counts[key] or 0) + 1
            if counts[key] > 40 + prefix then counts[key] = nil end
        end
        print(round, top(9))
    end
end
