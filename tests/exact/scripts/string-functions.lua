-- rep, sub, byte, char, reverse, find, match, pack and unpack, concat in loops, long strings.
local s = ""
for i = 1, 40 do
    s = s .. string.char(97 + i * 7 % 26) .. (i % 5 == 0 and i or "")
    if i % 8 == 0 then print(s, #s, s:reverse(), s:upper():sub(-i, -2), s:byte(i // 2, i // 2 + 3)) end
end
for i = -6, 6, 3 do
    for j = -6, 6, 4 do io.write(("abcdef"):sub(i, j), "|") end
    print(i, ("ab"):rep(i), ("ab"):rep(i, ","), ("abcabc"):find("c", i), ("abcabc"):find("", i))
end
local parts = {}
for i = 1, 30 do parts[#parts + 1] = ("%d:%s"):format(i, ("*"):rep(i % 4)) end
print(table.concat(parts, " ", 5, 25))
print(("key = value"):match("^(%w+)%s*=%s*(%w+)$"), ("  trim  "):match("^%s*(.-)%s*$") .. "|", ("2024-05-06"):match("(%d+)-(%d+)-(%d+)"))
print(("a+b"):find("+", 1, true), ("a.b"):find(".", 2, true), ("x"):find("y"), ("[x]"):match("%[(.-)%]"), ("f(a(b)c)d"):match("%b()"))
for i = 1, 12 do
    local p = string.pack("<i4 d s2 z", i * 1000, i / 3, ("s"):rep(i), "z" .. i)
    local a, b, c, d, at = string.unpack("<i4 d s2 z", p)
    print(#p, a, b, c, d, at, string.packsize("<i4 d"))
end
local long = {}
for i = 1, 6 do long[i] = ("long string number " .. i .. " "):rep(20) end
for i = 1, 6 do
    local t = { [long[i]] = i, [long[i % 6 + 1] .. ""] = -i }
    print(#long[i], t[("long string number " .. i .. " "):rep(20)], long[i] < long[i % 6 + 1], long[i]:sub(40, 50))
end
print("a" < "b", "a" < "B", "" < "a", "a\0b" < "a\0c", "a\0" > "a", "10" < "9", "z" >= "z")
print(tostring(12):len(), ("x"):rep(0) == "", #("x"):rep(1000), ("\u{48}\x41\65\z
       end"))
