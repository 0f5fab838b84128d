-- string.gsub: with string, function and table; anchored, counted, nested, %f and %b.
local n = 0
local function up(s, t) n = n + #s return s:upper() .. (t or "") end
local text = "the (quick (brown)) fox, the [lazy] dog = %1"
for i = 1, 8 do
    print(text:gsub("%a+", up, i))
    print(text:gsub("(%a)(%a*)", function(a, b) return up(a) .. b .. i end))
    print(text:gsub("%w+", { the = "THE", fox = i, dog = false, quick = nil }))
    print(text:gsub("%b()", function(s) return (s:gsub("%a", "%0%0")) end))
    print(text:gsub("%f[%w]%w", "<%0>", i), (text:gsub("", "-", i)))
    print(text:gsub("(%w+) (%w+)", "%2 %1"))
end
print(n)
local cache = setmetatable({}, { __index = function(t, k) local v = #k .. k rawset(t, k, v) return v end })
print(text:gsub("%a+", cache), rawget(cache, "quick"))
print(("abc"):gsub("b", "%%"), ("a.b.c"):gsub("%.", "%%."), ("hello"):gsub("l*", "x"), ("x^2"):gsub("^x", "y"))
print(pcall(string.gsub, "x", "x", "%2"))
print(pcall(string.gsub, "x", "(", ""))
print(pcall(string.gsub, "x", "x", function() return {} end))
print(pcall(string.gsub, "abc", "%a", function(c) if c == "b" then error("at b", 0) end end))
local function expand(s, vars, depth)
    if depth > 5 then return s end
    return (s:gsub("$(%w+)", function(name) return expand(vars[name] or name, vars, depth + 1) end))
end
print(expand("$a and $b", { a = "<$b>", b = "[$c$c]", c = "z$a" }, 0))
local out = {}
local rest = ("k=v;kk=vv;q"):gsub("(%w+)=(%w+);?", function(k, v) out[#out + 1] = k .. ":" .. v return "" end)
print(rest, table.concat(out, " "))
