-- Towers of Hanoi three ways: recursion, an explicit stack, a coroutine; they must agree.
local function recursive(n, a, b, c, out)
    if n == 0 then return end
    recursive(n - 1, a, c, b, out)
    out[#out + 1] = a .. c
    return recursive(n - 1, b, a, c, out)
end
local function stack(n)
    local todo, out = { { n, "A", "B", "C" } }, {}
    while #todo > 0 do
        local job = table.remove(todo)
        local k, a, b, c = table.unpack(job)
        if k == 1 then
            out[#out + 1] = a .. c
        elseif k > 1 then
            todo[#todo + 1] = { k - 1, b, a, c }
            todo[#todo + 1] = { 1, a, b, c }
            todo[#todo + 1] = { k - 1, a, c, b }
        end
    end
    return out
end
local function moves(n, a, b, c)
    if n > 0 then
        moves(n - 1, a, c, b)
        coroutine.yield(a, c)
        moves(n - 1, b, a, c)
    end
end
for n = 1, 6 do
    local out = {}
    recursive(n, "A", "B", "C", out)
    local text = table.concat(out, " ")
    print(n, #out, text)
    print(text == table.concat(stack(n), " "))
    local pegs = { A = {}, B = {}, C = {} }
    for i = n, 1, -1 do table.insert(pegs.A, i) end
    for from, to in coroutine.wrap(function() moves(n, "A", "B", "C") end) do
        local disk = table.remove(pegs[from])
        assert(#pegs[to] == 0 or pegs[to][#pegs[to]] > disk)
        table.insert(pegs[to], disk)
    end
    print(table.concat(pegs.A, " ") .. "|" .. table.concat(pegs.B, " ") .. "|" .. table.concat(pegs.C, " "))
end
