-- Coercions: strings in arithmetic, numbers in concatenation, tostring, tonumber with bases.
local strings = { "10", " 5 ", "0x1F", "1e2", "-3", ".5", "0x.8p1", "9223372036854775807", "9223372036854775808", "1e400" }
for i, s in ipairs(strings) do
    print(s, s + 1, s * "2", 10 - s, s / 2, s // "2", s % 3, s ^ 1, -s, math.type(s + 0), tonumber(s), i .. s)
    local n = s + 0
    print(n .. "", n .. n, #(n .. "|"), n == s, tostring(n) == s, math.type(tonumber(s)))
end
for _, s in ipairs { "", " ", "abc", "1x", "0x", "1e", "- 1", "1 2", "nan", "inf", "--1", "1_0" } do
    print(("%q"):format(s), tonumber(s), pcall(function() return s + 1 end))
end
for base = 2, 36, 5 do
    io.write(base, ": ", tostring(tonumber("101", base)), " ", tostring(tonumber("zz", base)), " ", tostring(tonumber("-1", base)), "; ")
end
print()
print(tonumber("7fffffffffffffff", 16), tonumber("ffffffffffffffff", 16), tonumber("1.5", 10), tonumber(" 11 ", 2), tonumber("8", 8))
print(pcall(tonumber, 5, 10), pcall(tonumber))
print(tonumber(nil), tonumber({}), tonumber(true))
print(1 .. "", 1.0 .. "", -0.0 .. "", 1e100 .. "", 2 ^ 63 .. "", (2 ^ 53 | 0) .. "", 0x10 .. "", 1e15 .. "", 123456789012345678 .. "")
print(10 == "10", 0 == false, nil == false, "a" == "a", 1 < 2, "1" < "2", pcall(function() return 1 < "2" end))
print(math.tointeger("8"), math.tointeger(8.0), math.tointeger(8.5), math.tointeger({}), 3 | 0, 3.0 | 0,
    pcall(function() return 3.5 | 0 end))
print(string.rep("x", "3"), ("5"):rep(2), ("abc"):sub("2"), math.max(1, 2.5), #tostring(12.0), string.format("%d", "10"),
    string.format("%s", 10))
for i = 1, "3" + 0 do
    local t = { [i] = "int", [tostring(i)] = "str", [i + 0.5] = "flt" }
    print(t[i], t[i .. ""], t[i + 0.0], t[i + 0.5], t["1"], t[1])
end
print(math.floor(3.7), math.ceil(-3.7), math.floor(-2 ^ 70), math.abs(-5), math.fmod(-7, 3), math.fmod(7, -3.0), math.ult(1, -1))
print(string.format("%.14g", 2 ^ 63), 2 ^ 63 == math.maxinteger + 1.0, pcall(function() return 2 ^ 63 | 0 end))
