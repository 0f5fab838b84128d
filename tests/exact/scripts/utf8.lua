-- The utf8 library: codes as an iterator half way, char, codepoint, len, offset, errors.
local text = "aé漢字😀z"
for p, c in utf8.codes(text) do io.write(p, ":", c, ":", utf8.char(c), " ") end
print()
for p, c in utf8.codes(text) do
    for q, d in utf8.codes(text:sub(p)) do
        if q > 4 then break end
        io.write(c - d, " ")
    end
end
print()
print(utf8.len(text), #text, utf8.codepoint(text, 1, -1))
for i = 1, utf8.len(text) do
    local o = utf8.offset(text, i)
    print(i, o, utf8.codepoint(text, o), text:sub(o, (utf8.offset(text, 2, o) or 0) - 1))
end
local t = {}
for c in text:gmatch(utf8.charpattern) do t[#t + 1] = c end
print(table.concat(t, " "), #t)
for i = 0, 20 do
    local c = 3 ^ i // 1 | 0
    if c < 0x7fffffff then
        local s = utf8.char(c)
        io.write(#s, "=", utf8.codepoint(s, 1, 1, true), " ")
    end
end
print()
print(utf8.len("\xff"), utf8.len("abc\x80"), utf8.len("", 1), utf8.char(), utf8.char(72, 228, 8364))
print(pcall(function() for _, c in utf8.codes("ab\xe4") do io.write(c, " ") end end))
print(pcall(utf8.codepoint, "\xff"))
local it, s, i = utf8.codes("日本語")
for _ = 1, 3 do
    local c
    i, c = it(s, i)
    print(i, c)
end
print(it(s, i))
