-- More constants than fit into one instruction: the last ones are loaded with an extra argument.
local text = "x=0x2;x=0x3;"
for _ = 1, 4 do
    local longer = {}
    for digit = 0, 15 do longer[digit + 1] = text:gsub(";", ("%x;"):format(digit)) end
    text = table.concat(longer)
end
text = "local never = ... local t = 0 if never then local x " .. text .. [[
    end
    for i = 1, 60 do t = t + 7654321.5 * i t = t - 1234567 end
    local u = { far = 'a far constant', 8888888.25, near = t }
    local r = {}
    for i = 1, 20 do r[i] = 'number ' .. i r.field = r[i] .. r[1] end
    return t, u.far, u[1], u.near, r.field, #r
]]
local f = load(text, "=constants")
text = nil
local sum = 0
for i = 1, 100 do sum = sum + i end
print(sum, f(false))
