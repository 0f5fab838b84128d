-- Bit operations on integers: shifts by any amount, constants on either side, checksums made of them.
for _, x in ipairs { 0, 1, -1, 0xFF, 0x7fffffffffffffff, math.mininteger, 0x123456789abcdef, 6.0 } do
    print(x, x & 0xF0, x | 0x0F, x ~ 0xFF, ~x, x << 4, x >> 4, 1 << (x & 7), x & -2, 3 | x, 5 ~ x, 12 & x)
    for _, n in ipairs { 0, 1, 31, 63, 64, 65, -1, -63, -64, -65, 1e9 | 0 } do
        io.write(string.format("%x,%x ", x << n, x >> n))
    end
    print(x << 63 >> 63, x >> 1 << 1, ~~x == x, x ~ x, x & ~x, x | ~x)
end
local function crc(s)
    local c = 0xFFFFFFFF
    for i = 1, #s do
        c = c ~ s:byte(i)
        for _ = 1, 8 do
            if c & 1 == 1 then c = (c >> 1) ~ 0xEDB88320 else c = c >> 1 end
        end
    end
    return ~c & 0xFFFFFFFF
end
print(string.format("%08x", crc("123456789")))
local state = 88172645463325252
local function xorshift()
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    return state
end
for _ = 1, 40 do io.write(string.format("%x ", xorshift() & 0xFFFFF)) end
print()
local function popcount(x) local n = 0 while x ~= 0 do n = n + 1 x = x & (x - 1) end return n end
for i = 0, 20 do io.write(popcount(i * 0x10101), " ") end
print(popcount(-1))
local h = 0
for i = 1, 150 do
    h = ((h << 5) ~ (h >> 59) ~ i) & 0x7fffffffffffffff
    h = h | (i & 3) << 2
    h = 255 & i ~ h
end
print(h)
