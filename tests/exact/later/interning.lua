-- Needs S, Z, G: equal terms are one object, by a weak table; sets of terms in the order of addresses.
local terms = setmetatable({}, { __mode = "v" })
local made = 0
local function term(op, a, b)
    local key = ("%s(%s,%s)"):format(op, a and a.id or "", b and b.id or "")
    local t = terms[key]
    if not t then
        made = made + 1
        t = { id = made, op = op, a = a, b = b }
        terms[key] = t
    end
    return t
end
local x, y, one = term("x"), term("y"), term("1")
local function derive(t, by)
    if t == by then return one end
    if t.op == "+" then return term("+", derive(t.a, by), derive(t.b, by)) end
    if t.op == "*" then
        return term("+", term("*", derive(t.a, by), t.b), term("*", t.a, derive(t.b, by)))
    end
    return term("0")
end
local function collect(t, into)
    if into[t] then return into end
    into[t] = true
    if t.a then collect(t.a, into) end
    if t.b then collect(t.b, into) end
    return into
end
for round = 1, 40 do
    local t = one
    for i = 1, 9 do
        t = (i + round) % 2 == 0 and term("+", t, i % 3 == 0 and y or x) or term("*", t, i % 2 == 0 and x or y)
    end
    local d = derive(derive(t, x), y)
    local ids, n, left = {}, 0, 0
    for s in pairs(collect(d, {})) do
        n = n + 1
        if n <= 8 then ids[n] = s.op .. s.id end
    end
    for _ in pairs(terms) do left = left + 1 end
    print(round, made, n, left, table.concat(ids, " "))
end
