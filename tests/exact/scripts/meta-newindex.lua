-- __newindex: functions and tables, by field, integer, register, constant, nil, upvalue.
local log = {}
local store = {}
local function record(_, k, v)
    log[#log + 1] = tostring(k) .. "=" .. tostring(v)
    store[k] = v
    if type(v) == "number" and v > 5 then store[k] = v - 5 end
    return "dropped"
end
local o = setmetatable({ present = 1 }, { __newindex = record, __index = store })
local redirect = setmetatable({}, { __newindex = setmetatable({}, { __newindex = o }), __index = o })
local function upvalue(i) o.up = i o[i + 20] = i redirect.up2 = "const" end
for i = 1, 15 do
    local key, num, flt = "k" .. i, i, i + 0.5
    o.field = i
    o.const = "constant"
    o.none = nil
    o.flag = true
    o[1] = i * 2
    o[2] = "two"
    o[255], o[256], o[100000] = i, i + 1, i + 2
    o[key] = num
    o[key] = nil
    o[num], o[flt] = num, flt
    o[true] = false
    o.present = o.present + 1
    redirect.through = i
    redirect[i] = "r" .. i
    upvalue(i)
    o.a, o.b, o.c = i, o.a, o.b
    print(o.field, o[1], o[num], o[flt], o.present, redirect.through, o.a, o.b, o.c, #log)
end
for i = 1, #log, 11 do io.write(log[i], " ") end
print()
-- global assignments
local sets = {}
setmetatable(_G, { __newindex = function(t, k, v) sets[#sets + 1] = k rawset(t, k, v .. "!") end })
for i = 1, 4 do
    globalA = "a" .. i
    globalB = globalA .. globalA
    globalC, globalD = globalB, "d"
end
print(globalA, globalB, globalC, globalD, table.concat(sets, " "))
setmetatable(_G, nil)
print(pcall(function() local t = setmetatable({}, { __newindex = function(_, k) error("read only " .. k, 2) end }) t.x = 1 end))
print(pcall(function() local t = {} t[nil] = 1 end))
print(pcall(function() local t = {} t[0 / 0] = 1 end))
-- proxies: read and write counted
local function track(t)
    local reads, writes = 0, 0
    return setmetatable({}, {
        __index = function(_, k) reads = reads + 1 return t[k] end,
        __newindex = function(_, k, v) writes = writes + 1 t[k] = v end,
        __len = function() return #t end,
        __call = function() return reads, writes end,
    })
end
local p = track {}
for i = 1, 10 do p[i] = (p[i - 1] or 0) + i end
for i = 1, #p do p[i] = p[#p - i + 1] end
print(p[1], p[5], p[10], p())
