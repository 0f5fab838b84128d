-- string.format and tostring of numbers; %q read back; padding, signs, hexadecimal floats.
local values = { 0, 1, -1, 42, 255, -0.0, 0.1, 1 / 3, 1e15, 1e16, 1e100, -1e-7, 2 ^ 53, 2 ^ 63, math.pi,
    math.maxinteger, math.mininteger, 1 / 0, -1 / 0, 3.0, 123456.789 }
for i, v in ipairs(values) do
    print(i, v, string.format("%g %.3f %10.2e|%-12g|%+g %a", v, v, v, v, v, v))
    if math.tointeger(v) then print(string.format("%d %5d|%-5d|%05d %x %X %#x %o %c %+d % d", v, v, v, v, v, v, v, v, 65 + i, v, v)) end
    local s = string.format("%q", v)
    local back = load("return " .. s)()
    print(s, back == v, math.type(back), tostring(back))
end
for i = 1, 12 do
    local s = ("x\n\0y\"\\\r\t"):rep(i):sub(i, i + 9)
    local q = string.format("%q", s)
    print((q:gsub("%c", "?")), #q, load("return " .. q)() == s)
    print(string.format("%5s|%-5s|%.2s|%s|%5.1s|%%", i, i, "abc", i, "xyz"), ("%i"):format(3.0), ("%s %s"):format(nil, true))
end
print(string.format("%q %q %q", 1, 0x7fffffffffffffff, math.mininteger))
print(pcall(string.format, "%d", 1.5))
print(pcall(string.format, "%d", "x"))
print(pcall(string.format, "%y", 1))
print(pcall(string.format, "%s"))
print(string.format("%s", setmetatable({}, { __tostring = function() return "object" end })), string.format("%-8s|", "é"))
print(tostring(1e15), tostring(-0.0), tostring(1e300 * 1e10), 2 ^ 31, 100 // 1e0, 7 // 2, 7 / 2, 1e2)
