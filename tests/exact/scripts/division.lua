-- Integer and float division and modulo by negatives, zero, infinities; the identity that holds.
local xs = { 7, -7, 7.5, -7.5, 0, 1, -1, math.maxinteger, math.mininteger, 1e300, 1 / 0 }
local ys = { 2, -2, 2.5, -2.5, 1, -1, 3, 1 / 0, -1 / 0, math.mininteger }
local function text(v) if v ~= v then return "nan" end return string.format("%.17g", v) .. (math.type(v) == "float" and "f" or "") end
for _, x in ipairs(xs) do
    local row = {}
    for _, y in ipairs(ys) do
        local q, r = x // y, x % y
        row[#row + 1] = text(q) .. "," .. text(r)
        if math.type(q) == "integer" and q * y + r ~= x then row[#row + 1] = "WRONG" end
    end
    print(x, table.concat(row, " "))
    print(text(x // 4), text(x % 4), text(x // -4), text(x % -4), text(x // 0.5), text(x % 0.75), text(100 // (x == 0 and 1 or x)),
        text(-100 % (x == 0 and 1 or x)))
end
for _, f in ipairs {
    function(x) return x // 0 end, function(x) return x % 0 end, function(x) return 1 // x, 1 % x end,
    function(x) return x // 0.0, x % 0.0, -x // 0.0 end, function(x) return x / 0, -x / 0 end,
} do
    for x = -1, 1 do
        local r = table.pack(pcall(f, x))
        for i = 1, r.n do r[i] = r[i] ~= r[i] and "nan" or tostring(r[i]) end
        print(x, table.concat(r, " "))
    end
end
local gcd
function gcd(a, b) if b == 0 then return a end return gcd(b, a % b) end
for i = 1, 12 do io.write(gcd(i * 36, 120), " ", gcd(-i * 14, 21), " ", gcd(i, -4), " ") end
print()
local days, s = 0, 0
for year = -8, 8 do
    days = days + 365 + (year % 4 == 0 and (year % 100 ~= 0 or year % 400 == 0) and 1 or 0)
    s = s + (days // 7) * (days % 7) - days // -7 + days % -7
end
print(days, s)
