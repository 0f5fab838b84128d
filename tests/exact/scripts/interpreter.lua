-- A small interpreter: tokens, a recursive parser, closures as code, loops and functions in it.
local function tokenize(s)
    local t = {}
    for w in s:gsub("([-+*/%%<>=(){},;!])", " %1 "):gmatch("%S+") do t[#t + 1] = w end
    t.at = 1
    return t
end
local function take(t, w) if t[t.at] == w then t.at = t.at + 1 return true end end
local function need(t, w) if not take(t, w) then error("expected " .. w .. " at " .. t.at, 0) end end
local expr, block
local level = { ["<"] = 1, [">"] = 1, ["+"] = 2, ["-"] = 2, ["*"] = 3, ["/"] = 3, ["%"] = 3 }
local op = {
    ["+"] = function(a, b) return a + b end, ["-"] = function(a, b) return a - b end, ["*"] = function(a, b) return a * b end,
    ["/"] = function(a, b) return a // b end, ["%"] = function(a, b) return a % b end,
    ["<"] = function(a, b) return a < b and 1 or 0 end, [">"] = function(a, b) return a > b and 1 or 0 end,
}
local function atom(t)
    local w = t[t.at]
    t.at = t.at + 1
    if w == "(" then local e = expr(t, 0) need(t, ")") return e end
    if w == "-" then local e = atom(t) return function(env) return -e(env) end end
    local n = tonumber(w)
    if n then return function() return n end end
    if not w:match("^%a") then error("unexpected " .. w, 0) end
    if not take(t, "(") then return function(env) return env[w] or error("no variable " .. w, 0) end end
    local args = {}
    while not take(t, ")") do args[#args + 1] = expr(t, 0) take(t, ",") end
    return function(env)
        local f, scope = env[w], {}
        for i, p in ipairs(f.params) do scope[p] = args[i](env) end
        return f.body(setmetatable(scope, { __index = f.env })) or 0
    end
end
function expr(t, min)
    local a = atom(t)
    while (level[t[t.at]] or 0) > min do
        local o, l = op[t[t.at]], level[t[t.at]]
        t.at = t.at + 1
        local x, b = a, expr(t, l)
        a = function(env) return o(x(env), b(env)) end
    end
    return a
end
local function statement(t)
    if take(t, "while") then
        local c, b = expr(t, 0), block(t)
        return function(env) while c(env) ~= 0 do local r = b(env) if r then return r end end end
    elseif take(t, "if") then
        local c, b = expr(t, 0), block(t)
        return function(env) if c(env) ~= 0 then return b(env) end end
    elseif take(t, "return") then return expr(t, 0)
    elseif take(t, "print") then local e = expr(t, 0) return function(env) print("->", e(env)) end
    elseif take(t, "def") then
        local name, params = t[t.at], {}
        t.at = t.at + 2
        while not take(t, ")") do params[#params + 1] = t[t.at] t.at = t.at + 1 take(t, ",") end
        local f = { params = params, body = block(t) }
        return function(env) f.env = env env[name] = f end
    end
    local name = t[t.at]
    t.at = t.at + 1
    need(t, "=")
    local e = expr(t, 0)
    return function(env) env[name] = e(env) end
end
function block(t)
    local list = {}
    need(t, "{")
    while not take(t, "}") do list[#list + 1] = statement(t) take(t, ";") end
    return function(env) for i = 1, #list do local r = list[i](env) if r then return r end end end
end
for _, s in ipairs {
    "{ print 1 + 2 * 3 - (4 - 1) * 2; print -(2 - 5) % 2 }",
    "{ i = 0; s = 0; while i < 12 { i = i + 1; if i % 3 < 1 { s = s + i * i } } print s }",
    "{ def fib(n) { if n < 2 { return n } return fib(n - 1) + fib(n - 2) } print fib(9) }",
    "{ def gcd(a, b) { while b > 0 { t = a % b; a = b; b = t } return a } print gcd(1071, 462) }",
    "{ print x }", "{ y = }", "{ print 1 / 0 }", "{ def f() { return g(2) } def g(k) { return k * 21 } print f() }",
} do print(s, pcall(function() return block(tokenize(s)) {} end)) end
