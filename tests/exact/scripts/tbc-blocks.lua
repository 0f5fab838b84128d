-- To-be-closed variables in blocks, loops, functions: order, values, several in one scope.
local log = {}
local mt = {}
mt.__close = function(o, e)
    log[#log + 1] = o.name .. "(" .. tostring(e) .. ")"
end
local function new(name) return setmetatable({ name = name }, mt) end
do
    local a <close> = new "a"
    local x = 10
    local b <close> = new "b"
    local nothing <close> = nil
    local never <close> = false
    do
        local c <close> = new("c" .. x)
        x = x + 1
        log[#log + 1] = "inner " .. c.name
    end
    log[#log + 1] = "outer " .. x .. a.name .. b.name .. tostring(nothing) .. tostring(never)
end
for i = 1, 4 do
    local v <close> = new("for" .. i)
    if i == 2 then goto continue end
    log[#log + 1] = "body " .. i
    ::continue::
end
local n = 0
while n < 6 do
    local w <close> = new("while" .. n)
    n = n + 1
    local u <close> = new("second" .. n)
    if n == 4 then break end
    log[#log + 1] = w.name .. u.name
end
repeat
    local r <close> = new("repeat" .. n)
    local keep = function() return r.name end
    n = n + 1
until #keep() + n > 12
local function nest(k)
    local o <close> = new("nest" .. k)
    if k == 0 then return 0 end
    local r = nest(k - 1)
    return r + k
end
log[#log + 1] = "nest " .. nest(6)
local gets = {}
for i = 1, 3 do
    local o <close> = new("captured" .. i)
    local p = i
    gets[i] = function() p = p + 1 return o.name .. p end
end
for i = 1, 3 do log[#log + 1] = gets[i]() .. gets[i]() end
for i, l in ipairs(log) do print(i, l) end
