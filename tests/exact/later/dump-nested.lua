-- Needs S, L: nested data written as text in the order of pairs, read back, and written again.
local function dump(v, out)
    if type(v) ~= "table" then
        out[#out + 1] = ("%q"):format(v)
        return out
    end
    out[#out + 1] = "{"
    for k, x in pairs(v) do
        out[#out + 1] = "["
        dump(k, out)
        out[#out + 1] = "]="
        dump(x, out)
        out[#out + 1] = ","
    end
    out[#out + 1] = "}"
    return out
end
local function make(depth, round)
    if depth == 0 then return round % 3 == 0 and "leaf" .. round or round / 4 end
    local t = {}
    for i = 1, 4 do t[(i % 2 == 0 and "key" or "k") .. i * round % 17] = make(depth - 1, round + i) end
    for i = 1, round % 5 do t[i] = make(0, i) end
    return t
end
local value = make(3, 1)
for round = 1, 40 do
    local text = table.concat(dump(value, {}))
    local back = load("return " .. text)()
    local again = table.concat(dump(back, {}))
    local h = 0
    for i = 1, #text do h = (h * 31 + text:byte(i)) & 0xFFFFFFFF end
    print(round, #text, h, text == again, again:sub(1, 60))
    value = round % 2 == 0 and back or make(round % 3 + 2, round)
    value["extra" .. round] = round
end
