-- Unary metamethods: __len, __unm, __bnot, by locals, fields, globals, in conditions and bounds.
local mt = {}
local trace = {}
local function new(v) return setmetatable({ v = v }, mt) end
function mt.__len(o, same) trace[#trace + 1] = "len" .. tostring(rawequal(o, same)) return o.v, "dropped" end
function mt.__unm(o) trace[#trace + 1] = "unm" return new(-o.v) end
function mt.__bnot(o) trace[#trace + 1] = "bnot" return ~o.v end
mt.__name = "thing"
for i = 1, 12 do
    local a, t = new(i), { x = new(i * 2) }
    globalThing = new(i * 3)
    print(#a, #t.x, #globalThing, (-a).v, (-t.x).v, (-(-globalThing)).v, ~a, ~t.x, ~globalThing)
    local sum = 0
    for j = 1, #a do sum = sum + j end
    while #a < 15 do a.v = a.v + 1 end
    if #a == 15 and -~a > 3 then sum = -sum end
    local b = -a
    b = -b
    local n = #b
    n = -n
    n = ~n
    print(sum, #a, #b, n, #a + #t.x * -#globalThing, #{ #a, #b }, not a, not #a)
end
print(#trace)
local odd = {}
for _, v in ipairs { "text", 1.5, true, 7 } do odd[#odd + 1] = setmetatable({ v = v }, { __len = function(o) return o.v end }) end
for _, o in ipairs(odd) do print(#o) end
print(pcall(function() return table.concat(odd[1]) end))
print(pcall(function() return -{} end))
print(pcall(function() return ~{} end))
print(pcall(function() return ~1.5 end))
print(pcall(function() local x return #x end))
print(-"2", -"0x10", -"1.5", -math.mininteger, ~0, ~-1, - -3)
local virtual = setmetatable({}, { __len = function() return 6 end, __index = function(_, i) return i * i end })
print(#virtual, table.unpack(virtual), table.concat(virtual, "-"))
for i = #virtual, 1, -2 do io.write(virtual[i], " ") end
print()
local moved = table.move(virtual, 1, #virtual, 3, {})
print(#moved == 8 and moved[8], rawlen(virtual), rawlen "abc", select("#", table.unpack(virtual)))
