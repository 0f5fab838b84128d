-- Functions with very many locals, upvalues, parameters, registers near the limit, long jumps.
local function build(n, head, item, tail)
    local parts = { head }
    for i = 1, n do parts[#parts + 1] = item(i) end
    parts[#parts + 1] = tail
    return load(table.concat(parts, "\n"), "=built")
end
local f = build(190, "local sum = 0", function(i) return ("local v%d = %d sum = sum + v%d * v%d"):format(i, i, i, math.max(1, i - 5)) end,
    "v100 = v190 return sum, v1 + v100, function() v50 = v50 + 1 return v50 + v190 end")
local s, t, g = f()
print(s, t, g(), g())
local u = build(180, "", function(i) return ("local u%d = %d"):format(i, i) end, "return function(x) return x + " ..
    (function() local r = {} for i = 1, 180, 3 do r[#r + 1] = "u" .. i end return table.concat(r, " + ") end)() ..
    " end, function() u1, u4, u7 = u7, u1, u4 + 1 return u1, u4, u7 end")
local add, turn = u()
for i = 1, 5 do print(add(i), turn()) end
local many = build(1, "return function(" .. (function() local r = {} for i = 1,
    150 do r[i] = "p" .. i end return table.concat(r, ", ") end)() .. ", ...)",
    function() return "local a, b = ... return p1 + p75 + p150, a, b, select('#', ...)" end, "end")()
local args = {}
for i = 1, 153 do args[i] = i end
print(many(table.unpack(args)))
print(pcall(many, 1, 2, 3))
local wide = load("local f = ... return f(" .. ("f(1, "):rep(60) .. "0" .. (")"):rep(60) .. ")")
print(wide(function(a, b) return (b or 0) + a + 1 end))
local cat = {}
for i = 1, 150 do cat[i] = i % 7 == 0 and "x" .. i or "y" .. i end
cat = load("local x, y = ... return " .. table.concat(cat, " .. "):gsub("[xy]%d+", function(w) return "(" .. w:sub(1,
    1) .. " + " .. w:sub(2) .. ")" end))
print(#cat(1, 2), cat(1, 2):sub(1, 30))
local jump = build(400, "local n, t = 0, { } for i = 1, 3 do if i == 2 then goto over end",
    function(i) return ("n = n + %d t[%d] = n"):format(i, i) end,
    "::over:: n = n + 1000 end return n, #t")
print(jump())
print(load("local a = 1 " .. ("do local b = a a = b + 1 "):rep(100) .. ("end "):rep(100) .. "return a")())
print(#load("return {" .. ("{"):rep(150) .. ("}"):rep(150) .. "}")())
