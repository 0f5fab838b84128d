-- Mutual recursion with several locals alive in each frame: a parser for arithmetic.
local text, at
local expression
local function blank() while text:sub(at, at) == " " do at = at + 1 end end
local function factor()
    blank()
    local c = text:sub(at, at)
    if c == "(" then
        at = at + 1
        local v, depth = expression()
        blank()
        if text:sub(at, at) ~= ")" then error("no ) at " .. at, 0) end
        at = at + 1
        return v, depth + 1
    elseif c == "-" then
        at = at + 1
        local v, depth = factor()
        return -v, depth
    end
    local from, to = text:find("^%d+%.?%d*", at)
    if not from then error("no number at " .. at, 0) end
    at = to + 1
    return tonumber(text:sub(from, to)), 0
end
local function term()
    local v, depth = factor()
    while true do
        blank()
        local c = text:sub(at, at)
        if c ~= "*" and c ~= "/" and c ~= "%" then return v, depth end
        at = at + 1
        local w, d = factor()
        if c == "*" then v = v * w elseif c == "/" then v = v / w else v = v % w end
        depth = math.max(depth, d)
    end
end
function expression()
    local v, depth = term()
    while true do
        blank()
        local c = text:sub(at, at)
        if c ~= "+" and c ~= "-" then return v, depth end
        at = at + 1
        local w, d = term()
        v = c == "+" and v + w or v - w
        depth = math.max(depth, d)
    end
end
for _, s in ipairs { "1", "1+2*3", "(1+2)*3", "-(4 - 5) * 2", "((((7))))", "2*(3+4*(5-6*(7+8)))",
    "1 +", "(1", "10 / 4 % 2", "3.5 * 2 - -1", "x" } do
    text, at = s, 1
    print(s, pcall(expression))
end
