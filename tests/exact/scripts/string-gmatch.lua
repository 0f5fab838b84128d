-- string.gmatch: with captures, anchors, empty matches, start positions, several at a time, kept.
local text = "key1=value1, key2 = value2;  key3=  ,=x, key4=v4 "
for k, v in text:gmatch("(%w+)%s*=%s*(%w*)") do io.write("[", k, "|", v, "] ") end
print()
for w in text:gmatch("%a+") do io.write(w, " ") end
print()
for s, e in text:gmatch("()%d()") do io.write(s, "-", e, " ") end
print()
for e in ("abc"):gmatch("") do io.write("<", e, ">") end
for a in ("aXbXX"):gmatch("X*") do io.write("{", a, "}") end
for a in ("aaa"):gmatch("^a") do io.write("(", a, ")") end
print()
for a, b in ("one two"):gmatch("(.)(.)", 3) do io.write(a, b, " ") end
for a in ("one two"):gmatch(".", -2) do io.write(a, " ") end
print()
-- several half-way iterators at once
local its = {}
for i = 1, 5 do its[i] = ("x1y22z333w4444"):gmatch("%a" .. ("%d"):rep(i) .. "?") end
for round = 1, 5 do
    for i = 1, 5 do io.write((its[i]()) or "none", " ") end
    print(round)
end
local function tokens(s)
    local next = s:gmatch("%s*(%S)")
    local held
    return function()
        local t = held or next()
        held = nil
        return t
    end, function(t) held = t end
end
local get, back = tokens("( a b ( c d ) ( ( e ) ) )")
local function list()
    local r = {}
    for t in get do
        if t == "(" then r[#r + 1] = list() elseif t == ")" then return r else r[#r + 1] = t end
        if t == "c" then back("C") end
    end
    return r
end
local function show(t) if type(t) ~= "table" then return t end local r = {} for i,
    v in ipairs(t) do r[i] = show(v) end return "<" .. table.concat(r, " ") .. ">" end
print(show(list()))
for line in ("first\n\nthird\nlast"):gmatch("([^\n]*)\n?") do
    for c in line:gmatch(".") do
        for d in line:gmatch("[aeiou]") do io.write(c, d, " ") end
    end
    print(#line)
end
local zero = "a\0b\0c"
for part in zero:gmatch("[^\0]+") do io.write(#part, part:byte(), " ") end
print()
