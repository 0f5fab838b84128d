-- error with levels: whose line is in the message, through functions of several depths.
local function at(level) error("message", level) end
local function outer(level)
    at(level)
    return level
end
local function outermost(level)
    local x = level
    outer(x)
    return x
end
for level = 0, 20 do
    print(level, pcall(outermost, level % 6))
    print(level, pcall(outer, level % 6))
end
local function check(v, what)
    if type(v) ~= what then error(what .. " expected, got " .. type(v), 3) end
    return v
end
local function add(a, b)
    check(a, "number")
    check(b, "number")
    return a + b
end
local function try(f, ...) return pcall(f, ...) end
for i, v in ipairs { 1, "x", true, {}, print, 2.5 } do
    print(i, try(function()
        return add(1, v)
    end))
    print(i, try(function()
        local r = add(v,
            1)
        return r
    end))
end
-- errors of the virtual machine name the variable
local up
print(pcall(function() local a return a.b end))
print(pcall(function() return up.field.b end))
print(pcall(function() local t = {} return t.x.y end))
print(pcall(function() local t = {} t.x.y = 1 end))
print(pcall(function() local t = {} t:method() end))
print(pcall(function() undefined() end))
print(pcall(function() local a = "x" return a + 1 end))
print(pcall(function() local a, b = {}, 1 return a .. b end))
print(pcall(function() local a, b = {}, {} return a < b end))
print(pcall(function() return 1 < "x" end))
print(pcall(function() return #up end))
print(pcall(function() return 1 & 1.5 end))
print(pcall(function() return 2 // 0 end))
print(pcall(function() return math.maxinteger % 0 end))
print(pcall(string.rep))
print(pcall(string.char, 1, 2, 300))
print(pcall(setmetatable, 1))
