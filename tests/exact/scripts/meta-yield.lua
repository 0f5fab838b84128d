-- Metamethods that yield: every event, in a coroutine that is resumed with values for each.
local yield = coroutine.yield
local mt = {}
for _, e in ipairs { "add", "sub", "mul", "div", "mod", "pow", "unm", "idiv", "band", "bor", "bxor", "shl",
    "shr", "bnot", "concat", "len", "eq", "lt", "le", "index", "call" } do
    mt["__" .. e] = function(...)
        local n = select("#", ...)
        local a = yield(e, n)
        local b = yield(e .. "2", a)
        return a + b
    end
end
function mt.__newindex(t, k, v) rawset(t, k, yield("newindex", k) + (tonumber(v) or 0)) end
function mt.__close(_, e) yield("close", e) end
local function new() return setmetatable({}, mt) end
local function work()
    local a, b, n, r = new(), new(), 5, {}
    r[#r + 1] = a + b r[#r + 1] = a + 1 r[#r + 1] = 1 - a r[#r + 1] = a * n r[#r + 1] = a / 2 r[#r + 1] = n % a
    r[#r + 1] = a ^ 2 r[#r + 1] = -a r[#r + 1] = a // b r[#r + 1] = a & 1 r[#r + 1] = 1 | a r[#r + 1] = a ~ n
    r[#r + 1] = a << 1 r[#r + 1] = 1 << a r[#r + 1] = a >> 2 r[#r + 1] = ~a r[#r + 1] = #a
    r[#r + 1] = "x" .. a .. "y" r[#r + 1] = a .. b .. "z" r[#r + 1] = 1 .. n .. a
    r[#r + 1] = a == b r[#r + 1] = a ~= b r[#r + 1] = a < b r[#r + 1] = a <= b r[#r + 1] = a > 1 r[#r + 1] = a >= 1
    r[#r + 1] = a < 1 r[#r + 1] = a <= 1.5 r[#r + 1] = 2 < a
    if a == b and not (a < b) then r[#r + 1] = "then" elseif a <= n then r[#r + 1] = "elseif" end
    r[#r + 1] = a.field r[#r + 1] = a[n] r[#r + 1] = a[1] r[#r + 1] = a.x + a.y
    r[#r + 1] = a(1, 2) r[#r + 1] = (a()) + (b(n)) r[#r + 1] = select("#", a(1))
    a.f, a[1], a[n] = 1, "2", n
    r[#r + 1] = a.f + a[1] + a[n]
    do
        local c <close> = new()
        r[#r + 1] = c.inside
    end
    for i in a, b, 1 do
        r[#r + 1] = i
        if #r > 45 then break end
    end
    do
        local _ENV = b
        assigned = n
        r[#r + 1] = unassigned
    end
    for i = 1, #r do r[i] = tostring(r[i]) end
    return "end", table.concat(r, " ")
end
for round = 1, 2 do
    local co = coroutine.wrap(work)
    local n, what, v = 0, nil, nil
    repeat
        n = n + 1
        what, v = co(n * round)
        if n % 3 == 0 then io.write(what, "=", tostring(v), " ") end
    until what == "end"
    print(n)
    print(v)
end
