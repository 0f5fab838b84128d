-- __concat: many operands, the object in each place, results that are objects again, numbers.
local mt = {}
local n = 0
local function new(v) return setmetatable({ v = v }, mt) end
local function val(x) return type(x) == "table" and x.v or tostring(x) end
function mt.__concat(a, b)
    n = n + 1
    local s = "(" .. val(a) .. "." .. val(b) .. ")"
    if n % 4 == 0 then return s end
    return new(s), "dropped"
end
local function show(x) io.write(val(x), " ") end
for i = 1, 10 do
    local a, b, x, y = new("A"), new("B"), "x" .. i, i * 1.5
    show(a .. b)
    show(a .. x)
    show(x .. a)
    show(a .. 1)
    show(1 .. a)
    show(a .. x .. y)
    show(x .. a .. y)
    show(x .. y .. a)
    show(a .. a .. a)
    show(x .. y .. i .. a .. x .. y .. i)
    show(x .. a .. y .. b .. i .. a .. x .. x .. b)
    show(a .. b .. x .. y .. "z" .. 1 .. 2.5 .. a)
    show((a .. x) .. (y .. b))
    show("" .. a .. "" .. "" .. b .. "")
    local r = ""
    for j = 1, 5 do r = r .. j .. (j == 3 and a or "-") end
    show(r)
    local t = { a .. x, k = x .. a, [x .. y] = a .. b .. x }
    show(t[1])
    show(t.k)
    show(t[x .. y])
    print(n)
end
print(pcall(function() return "a" .. {} end))
print(pcall(function() return "a" .. 1 .. nil .. "b" end))
print(pcall(function() local t = setmetatable({}, { __concat = function() error("no", 0) end }) return "x" .. "y" .. t .. "z" end))
print(1 .. 2, -1 .. "", 1.0 .. "|" .. -0.0 .. "|" .. 2 ^ 63 .. "|" .. 1e100 .. "|" .. math.mininteger)
local big = {}
for i = 1, 60 do big[i] = i % 3 == 0 and new(i) or i end
local function join(i) if i == #big then return big[i] end return big[i] .. join(i + 1) end
print(#val(join(1)), n)
