-- Prints a random Lua program: lua5.4 generate.lua SEED
--
-- Every program is valid, deterministic and ends. It ends because nothing calls what was declared
-- after it: metatables only use objects of metatables above them (ranks), functions only call
-- functions declared before them; loops have small bounds, and all stop when out() says that the
-- budget is spent. Expressions are typed, so that errors come where they are meant: n is an integer,
-- s a short string, b a boolean, o an object with metamethods for everything, t a list of integers,
-- f a function that takes integers and returns three.

local seed = math.tointeger(arg and arg[1] or 1) or 1
local state = (seed * 0x9E3779B97F4A7C15 + 0x1234567) | 1

local function random(n)
    state = state ~ (state << 13)
    state = state ~ (state >> 7)
    state = state ~ (state << 17)
    return (state >> 11) % n + 1
end

local function chance(percent) return random(100) <= percent end
local function pick(list) return list[random(#list)] end

-- Lua 5.4.4 reads freed memory when a __concat makes a stack grow. Half of the programs have no
-- __concat; the others have the stack of each thread grown before, and no collector that shrinks it.
local concats = chance(50)

-- What is being written: lines, the scopes of local variables, the function that a line is in.
local out, indent = {}, 0
local scopes = { {} }
local func = { vararg = false, loops = 0, rank = 0 }
local names, fuel = 0, 0

local function emit(format, ...)
    local text = select("#", ...) > 0 and format:format(...) or format
    out[#out + 1] = ("    "):rep(indent) .. text
end

local function declare(kind, name, fixed)
    if not name then
        names = names + 1
        name = kind .. names
    end
    local scope = scopes[#scopes]
    scope[#scope + 1] = { name = name, kind = kind, fixed = fixed }
    return name
end

local function new_name(kind)
    names = names + 1
    return kind .. names
end

-- A variable of that kind in scope, recent ones rather than old ones; nil if there is none.
local function variable(kind, assignable)
    local found = {}
    for i = #scopes, 1, -1 do
        for _, v in ipairs(scopes[i]) do
            if v.kind == kind and not (assignable and v.fixed) then found[#found + 1] = v.name end
        end
        if #found > 6 then break end
    end
    return found[1] and pick(found)
end

local function locals_in_scope()
    local n = 0
    for _, scope in ipairs(scopes) do n = n + #scope end
    return n
end

local function block(body)
    indent = indent + 1
    scopes[#scopes + 1] = {}
    body()
    scopes[#scopes] = nil
    indent = indent - 1
end

-- Expressions -----------------------------------------------------------------------------------

local expr = {}

local function e(kind, depth)
    local list = expr[kind]
    if depth <= 0 then return list.leaf() end
    return (list[random(#list)])(depth - 1) or list.leaf()
end

local literals = { "0", "1", "2", "-1", "7", "127", "128", "-128", "255", "1000", "65536", "123456789",
    "0x7fffffffffffffff", "(-3)" }
local arithmetic = { "+", "-", "*", "&", "|", "~", "<<", ">>" }
local floats = { "1.5", "0.25", "-2.5", "3.0", "1e3" }
local fields = { "a", "b", "c" }

local function object_or(kind, depth)
    if chance(60) and (concats or kind ~= "s") then return e("o", depth) end
    return e(kind, depth)
end

local function constant()
    return chance(50) and pick(literals) or pick { "3", "5", "100" }
end

local function arguments(depth)
    local list = {}
    for i = 1, random(4) - 1 do list[i] = e("n", depth) end
    if func.vararg and chance(25) then list[#list + 1] = "..." end
    if chance(10) then
        local f = variable "f"
        if f then list[#list + 1] = ("%s(%s)"):format(f, e("n", 0)) end
    end
    return table.concat(list, ", ")
end

local function call(depth)
    local f = variable "f"
    return f and ("%s(%s)"):format(f, arguments(depth))
end

expr.n = {
    leaf = function() return chance(70) and variable "n" or pick(literals) end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick(arithmetic), e("n", d)) end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick(arithmetic), constant()) end,
    function(d) return ("(%s %s %s)"):format(constant(), pick(arithmetic), e("n", d)) end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick { "//", "%" }, pick { "3", "-7", "10", "2" }) end,
    function(d) return ("(%s %s (%s | 1))"):format(e("n", d), pick { "//", "%" }, e("n", d)) end,
    function(d) return ("int(%s %s %s)"):format(e("n", d), pick { "/", "*", "+", "-", "%" }, pick(floats)) end,
    function(d) return ("int(%s / %s)"):format(e("n", d), object_or("n", d)) end,
    -- metamethods by the kind of the other operand, on either side
    function(d) return ("(%s %s %s)"):format(e("o", d), pick(arithmetic), e("o", d)) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick(arithmetic), e("n", d)) end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick(arithmetic), e("o", d)) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick(arithmetic), constant()) end,
    function(d) return ("(%s %s %s)"):format(constant(), pick(arithmetic), e("o", d)) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick { "/", "//", "%", "^" }, object_or("n", d)) end,
    function(d) return ("(%s %s %s)"):format(constant(), pick { "/", "//", "%", "^" }, e("o", d)) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick { "+", "-", "*", "/", "^" }, pick(floats)) end,
    function(d) return ("(%s %s)"):format(pick { "-", "~" }, object_or("n", d)) end,
    function(d) return "#" .. e("o", d) end,
    function(d) return ("%s.%s"):format(e("o", d), pick(fields)) end,
    function(d) return ("%s[%s]"):format(e("o", d), pick { "1", "200", "1000", e("n", d) }) end,
    function(d) return ("(%s(%s))"):format(e("o", d), arguments(d)) end,
    function(d) return ("(%s:m(%s))"):format(e("o", d), arguments(d)) end,
    -- calls, varargs, tables, choices, yields
    function(d) local c = call(d) return c and "(" .. c .. ")" end,
    function(d) local c = call(d) return c and ("select(%d, %s)"):format(random(3), c):gsub("^.*$", "(%0)") end,
    function() return func.vararg and pick { 'select("#", ...)', "((...) or 0)", "#{ ... }" } end,
    function() local t = variable "t" return t and "#" .. t end,
    function(d) local t = variable "t" return t and ("(%s[%s] or 0)"):format(t, pick { "1", "2", e("n", d) .. " % 5" }) end,
    function(d) return ("(%s and %s or %s)"):format(e("b", d), e("n", d), e("n", d)) end,
    function(d) return ("y(%s)"):format(e("n", d)) end,
    function(d) return ("y(%s)"):format(e("n", d)) end,
    function(d) return "#" .. e("s", d) end,
    function(d) return ("math.max(%s, %s)"):format(e("n", d), e("n", d)) end,
    function() return "math.random(100)" end,
    function(d) return ("load('local a = ... return (tonumber(a) or 0) * %d + Y(a)', '=text')(%s)"):format(random(9), e("n", d)) end,
    function(d) return ("(function(...) return %s end)(%s)"):format(pick { "(...)", 'select("#", ...)', "y(...)" }, e("n", d)) end,
}

expr.s = {
    leaf = function() return chance(60) and variable "s" or pick { '"x"', '"text"', '""', '"a\\0b"' } end,
    function(d) return ("cut(%s .. %s)"):format(e("s", d), e("s", d)) end,
    function(d) return ("cut(%s .. %s .. %s)"):format(e("s", d), e("n", d), object_or("s", d)) end,
    function(d) return ("cut(%s .. %s)"):format(object_or("s", d), e("s", d)) end,
    function(d) return ("cut(%s .. %s)"):format(e("s", d), object_or("s", d)) end,
    function(d) return ("cut(%s .. %s .. %s .. %s)"):format(object_or("s", d), e("n", d), object_or("s", d), e("n", d)) end,
    function(d) return ("cut(%s .. 1 .. %s .. 'z' .. 2.5)"):format(e("s", d), object_or("s", d)) end,
    function(d) return ("tostring(%s)"):format(pick { e("n", d), e("b", d), e("o", d) }) end,
    function(d) return ("(%s and %s or %s)"):format(e("b", d), e("s", d), e("s", d)) end,
    function() return ("%s:sub(%d, %d)"):format(variable "s" or "('word')", random(3), random(8)) end,
    function(d)
        local vararg = func.vararg
        func.vararg = false
        local inner = e("n", d)
        func.vararg = vararg
        return ("(%s:gsub('%%w', function(c) return c .. %s end, 3))"):format(variable "s" or "('word')", inner)
    end,
    function(d) return ("string.format('%%d %%s', %s, %s)"):format(e("n", d), e("s", d)) end,
}

local comparisons = { "<", "<=", ">", ">=", "==", "~=" }
expr.b = {
    leaf = function() return variable "b" or pick { "true", "false" } end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick(comparisons), e("n", d)) end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick(comparisons), constant()) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick(comparisons), e("o", d)) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick(comparisons), e("n", d)) end,
    function(d) return ("(%s %s %s)"):format(e("n", d), pick(comparisons), e("o", d)) end,
    function(d) return ("(%s %s %s)"):format(e("o", d), pick(comparisons), pick { "3", "100", "1.5", "5.0", "1000" }) end,
    function(d) return ("(%s %s %s)"):format(pick { "3", "2.0", "1000" }, pick(comparisons), e("o", d)) end,
    function(d) return ("(%s == %s)"):format(e("s", d), pick { e("s", d), '"x"' }) end,
    function(d) return "not " .. e("b", d) end,
    function(d) return ("(%s %s %s)"):format(e("b", d), pick { "and", "or" }, e("b", d)) end,
    function(d) return ("(%s %% 2 == 0)"):format(e("n", d)) end,
}

expr.o = {
    leaf = function() return variable "o" or ("new(M%d, 3)"):format(func.rank + 1) end,
    function() return variable "o" end,
    function() return variable "o" end,
    function() return variable "o" end,
    function(d) return ("new(M%d, %s)"):format(func.rank + random(4 - func.rank), e("n", d)) end,
    function(d) return ("(%s and %s or %s)"):format(e("b", d), e("o", 0), e("o", 0)) end,
}

expr.t = {
    leaf = function() return variable "t" or "{ 3, 1, 2 }" end,
    function(d) return ("{ %s, %s, %s }"):format(e("n", d), e("n", d), e("n", d)) end,
    function(d) local c = call(d) return c and ("{ %s, %s }"):format(e("n", d), c) end,
    function(d) return func.vararg and ("{ %s, ... }"):format(e("n", d)) end,
    function(d) return ("{ %s, x = %s, [%s] = 1, %s }"):format(e("n", d), e("n", d), pick { "7", "'k'", "1.5" }, e("n", d)) end,
    function(d)
        local items = {}
        for i = 1, 40 + random(30) do items[i] = chance(8) and e("n", d) or tostring(random(100)) end
        return "{ " .. table.concat(items, ", ") .. " }"
    end,
}

local function grow()
    if concats then emit "    select('#', table.unpack({}, 1, 240))" end
end

-- Statements ------------------------------------------------------------------------------------

local statement = {}

local function statements(n)
    for _ = 1, n do
        if fuel <= 0 then break end
        fuel = fuel - 1
        statement[random(#statement)]()
    end
end

local function returns()
    local kind = random(5)
    local c = call(1)
    if kind == 1 and c then return "return " .. c end
    if kind == 2 then return ("return table.unpack({ %s, %s, %s })"):format(e("n", 1), e("n", 1), e("n", 1)) end
    if kind == 3 and func.vararg then return ("return %s, %s, (...) or 0"):format(e("n", 1), e("n", 1)) end
    if kind == 4 and c then return ("return %s, %s"):format(e("n", 1), c) end
    return ("return %s, %s, %s"):format(e("n", 2), e("n", 1), e("n", 1))
end

-- The body of a function from behind its head to its `end`, in a function context of its own.
local function body(params, vararg, rank, size, last)
    local outer = func
    func = { vararg = vararg, loops = 0, rank = rank or outer.rank, returns = true }
    block(function()
        for _, name in ipairs(params) do declare("n", name) end
        if #params > 0 then
            for _, name in ipairs(params) do emit("%s = num(%s)", name, name) end
        end
        emit "if out() then return 0, 0, 0 end"
        block(function()
            indent = indent - 1
            statements(size)
            emit(last and last() or returns())
            indent = indent + 1
        end)
    end)
    func = outer
end

-- unbroken: without break, which Lua 5.4.4 compiles wrong in a generic for with a closing value
-- whose body has closures: the value stays on the list of what is to be closed.
local function loop(head, inside, unbroken)
    fuel = fuel - 1
    emit(head)
    func.loops = func.loops + 1
    block(function()
        if inside then inside() end
        if not unbroken then emit "if out() then break end" end
        statements(random(3))
        if chance(25) and not unbroken then emit("if %s then break end", e("b", 1)) end
        if chance(25) then
            local label = new_name "continue"
            emit("if %s then goto %s end", e("b", 1), label)
            block(function() indent = indent - 1 emit "do" block(function() statements(2) end) emit "end" indent = indent + 1 end)
            emit("::%s::", label)
        end
    end)
    func.loops = func.loops - 1
    emit "end"
end

local function nested_enough() return func.loops >= 3 or indent > 8 or fuel < 2 end

local function iterator()
    local t = variable "t"
    return pick {
        t and ("ipairs(%s)"):format(t) or "ipairs { 4, 5 }", ("range(%s %% 4)"):format(e("n", 1)),
        ("closing(%s %% 4)"):format(e("n", 1)), ("pairs(%s)"):format(e("o", 0)), ("generate(%s)"):format(e("n", 1)),
        ("next, { %s, %s }"):format(e("n", 1), e("n", 1)), ("hop, %s, 0"):format(e("o", 0)),
    }
end

statement = {
    function() if locals_in_scope() < 90 then local v = e("n", 3) emit("local %s = %s", declare("n"), v) end end,
    function() if locals_in_scope() < 90 then local v = e("n", 2) emit("local %s = %s", declare("n"), v) end end,
    function() if locals_in_scope() < 90 then local v = e("s", 2) emit("local %s = %s", declare("s"), v) end end,
    function() if locals_in_scope() < 90 then local v = e("b", 3) emit("local %s = %s", declare("b"), v) end end,
    function() if locals_in_scope() < 90 then local v = e("o", 2) emit("local %s = %s", declare("o"), v) end end,
    function() if locals_in_scope() < 90 then local v = e("t", 2) emit("local %s = %s", declare("t"), v) end end,
    function()
        local c = call(2)
        if c and locals_in_scope() < 90 then emit("local %s, %s, %s = %s", declare("n"), declare("n"), declare("n", nil, true), c) end
    end,
    function() if locals_in_scope() < 90 then local v = e("n", 2) emit("local %s <const> = %s", declare("n", nil, true), v) end end,
    function() local v = variable("n", true) if v then emit("%s = %s", v, e("n", 3)) end end,
    function() local v = variable("n", true) if v then emit("%s = %s %s %s", v, v, pick(arithmetic), e("n", 2)) end end,
    function() local v = variable("s", true) if v then emit("%s = %s", v, e("s", 2)) end end,
    function() local v = variable("b", true) if v then emit("%s = %s", v, e("b", 2)) end end,
    function()
        local v, w = variable("n", true), variable("n", true)
        if v and w and v ~= w then emit("%s, %s = %s, %s", v, w, e("n", 2), e("n", 1)) end
    end,
    function() emit("p(%d, %s)", random(99), e(pick { "n", "s", "b", "n", "n" }, 3)) end,
    function() emit("p(%s, %s)", e("n", 2), e("s", 2)) end,
    function() local c = call(2) if c then emit("p(%s)", c) end end,
    function() emit("%s.%s = %s", variable "o" or "global", pick(fields), e("n", 2)) end,
    function() emit("%s[%s] = %s", variable "o" or "global", pick { "1", "100", "1000", e("n", 1) }, pick { "7", "'k'", e("n", 2) }) end,
    function() local t = variable "t" if t then emit("%s[#%s %% 9 + 1] = %s", t, t, e("n", 2)) end end,
    function() emit("G%d = (G%d or 0) + %s", random(3), random(3), e("n", 2)) end,
    function()
        local t = variable "t"
        if t then emit("table.sort(%s%s)", t, pick { "", ", function(a, b) return a > b end" }) end
    end,
    function()
        emit("if %s then", e("b", 3))
        block(function() statements(random(3)) end)
        for _ = 1, random(3) - 1 do
            emit("elseif %s then", e("b", 2))
            block(function() statements(random(2)) end)
        end
        if chance(50) then
            emit "else"
            block(function() statements(random(3)) end)
        end
        emit "end"
    end,
    function()
        if nested_enough() then return end
        local v = new_name "n"
        local head = pick { "1, 3", "3, 1, -1", "-2, 2", "1, 0", ("1, %s %% 4"):format(e("n", 2)), "0x7ffffffffffffffe, 0x7fffffffffffffff",
            ("%s, %s + 2"):format("5", "5"), "10, 1, -4" }
        loop(("for %s = %s do"):format(v, head), function() declare("n", v) end)
    end,
    function()
        if nested_enough() then return end
        local v, x = new_name "n", new_name "x"
        loop(("for %s = %s do"):format(x, pick { "0, 1, 0.4", "1.0, 3", "2, 1, -0.5", "1, 1.9" }), function()
            emit("local %s = int(%s * 100)", v, x)
            declare("n", v)
        end)
    end,
    function()
        if nested_enough() then return end
        local k, v, turns = new_name "n", new_name "n", new_name "c"
        local it = iterator()
        emit("local %s = 0", turns)
        local unbroken = it:find "^closing"
        loop(("for %s, %s in %s do"):format(k, v, it), function()
            emit("%s = %s + 1", turns, turns)
            if not unbroken then emit("if %s > 5 then break end", turns) end
            emit("%s = num(%s)", v, v)
            declare("n", k, true)
            declare("n", v)
        end, unbroken)
    end,
    function()
        if nested_enough() then return end
        local c = new_name "c"
        emit("local %s = 0", c)
        loop(("while %s < %d and %s do"):format(c, random(4), e("b", 2)), function() emit("%s = %s + 1", c, c) end)
    end,
    function()
        if nested_enough() then return end
        local c, f, v = new_name "c", new_name "g", new_name "n"
        emit("local %s = 0", c)
        local outer, n = func.loops, random(4)
        func.loops = outer + 1
        emit "repeat"
        indent = indent + 1
        scopes[#scopes + 1] = {}
        emit("%s = %s + 1", c, c)
        emit("local %s = %s", v, e("n", 2))
        emit("local function %s() %s = %s + 1 return %s + %s end", f, v, v, v, c)
        declare("n", v)
        emit "do"
        block(function() statements(random(3)) end)
        emit "end"
        scopes[#scopes] = nil
        indent = indent - 1
        func.loops = outer
        emit("until %s > %d or %s() %% 5 == 0 or out()", c, n, f)
    end,
    function()
        local c, label = new_name "c", new_name "again"
        if nested_enough() then return end
        emit("local %s = 0", c)
        emit "do"
        block(function()
            emit("::%s::", label)
            emit("%s = %s + 1", c, c)
            local v, value = new_name "n", e("n", 1)
            emit("local %s = %s", v, value)
            declare("n", v)
            emit("keep(function() %s = %s + 1 return %s end)", v, v, v)
            emit "do"
            block(function() statements(random(3)) end)
            emit "end"
            emit("if %s < %d and not out() then goto %s end", c, random(4), label)
        end)
        emit "end"
    end,
    function()
        emit "do"
        block(function()
            for _ = 1, random(2) do emit("local %s <close> = guard(%d)", new_name "guard", random(99)) end
            statements(random(3))
        end)
        emit "end"
    end,
    function()
        if indent > 6 or fuel < 3 or locals_in_scope() > 80 then return end
        fuel = fuel - 2
        local f, vararg = new_name "f", chance(40)
        local params = {}
        for i = 1, random(4) - 1 do params[i] = new_name "n" end
        local list = table.concat(params, ", ") .. (vararg and (#params > 0 and ", ..." or "...") or "")
        emit("local function %s(%s)", f, list)
        body(params, vararg, nil, random(4))
        emit "end"
        declare("f", f)
    end,
    function()
        if indent > 6 or fuel < 3 or locals_in_scope() > 80 then return end
        fuel = fuel - 2
        local f, k, v = new_name "rec", new_name "n", new_name "n"
        emit("local function %s(%s, %s)", f, k, v)
        emit("    if %s <= 0 then return %s end", k, v)
        body({ k, v }, false, nil, random(2), function()
            return pick {
                ("return %s(%s - 1, %s)"):format(f, "math.min(" .. k .. ", 6)", e("n", 2)),
                ("return 1 + %s(%s - 1, %s)"):format(f, "math.min(" .. k .. ", 6)", e("n", 2)),
                ("return %s(%s - 1, %s(%s - 2, %s))"):format(f, "math.min(" .. k .. ", 4)", f, "math.min(" .. k .. ", 4)", e("n", 1)),
            }
        end)
        emit "end"
        emit("p(%s(%d, %s))", f, random(7), e("n", 1))
    end,
    function()
        if indent > 6 then return end
        fuel = fuel - 1
        local f = chance(60) and "pcall(" or pick { "xpcall(", "pcall(pcall, " }
        local handler = f == "xpcall(" and pick { ", function(m) return handled(m) end", ", debug.traceback", ", handled" } or ""
        emit("p(%sfunction(...)", f)
        body({}, true, nil, random(4), function()
            if chance(60) then
                return ("if %s then error(%s) end return %s, %s"):format(e("b", 1),
                    pick { '"message"', '"level 2", 2', "{ code = 5 }", e("n", 1), e("s", 1), "nil" }, e("n", 1), "...")
            end
            return returns()
        end)
        emit("end%s, %s))", handler, e("n", 1))
    end,
    function()
        if indent > 5 or fuel < 3 then return end
        fuel = fuel - 2
        local co, c = new_name "co", new_name "c"
        emit("local %s = coroutine.%s(function(...)", co, "create")
        grow()
        body({}, true, nil, 1 + random(4))
        emit "end)"
        emit("for %s = 1, %d do", c, random(8))
        block(function()
            emit("p(%s, coroutine.resume(%s, %s, %s))", c, co, c, e("n", 1))
            emit("if coroutine.status(%s) == 'dead' or out() then break end", co)
            declare("n", c, true)
            statements(random(2))
        end)
        emit "end"
        if chance(30) then emit("p(coroutine.close(%s), coroutine.status(%s))", co, co) end
    end,
    function()
        if indent > 5 or fuel < 3 or locals_in_scope() > 80 then return end
        fuel = fuel - 2
        local co = new_name "w"
        emit("local %s = coroutine.wrap(function(...)", co)
        grow()
        body({}, true, nil, random(3), function()
            emit("for i = 1, 3 do y(%s) end", e("n", 1))
            return "return 1, 2, 3"
        end)
        emit "end)"
        emit("p(%s(%s))", co, e("n", 1))
        for _ = 1, random(4) do emit("p(pcall(%s, %s))", co, e("n", 1)) end
    end,
    function()
        local v = variable("n", true)
        if v then emit("keep(function() %s = %s + %d return %s end)", v, v, random(9), v) end
    end,
    function() emit "p(kept())" end,
    function() if func.returns and chance(30) then emit("if %s then return %s, 0, 1 end", e("b", 2), e("n", 2)) end end,
    function()
        if not chance(25) then return end
        local what = pick { 'error("thrown " .. %s)', 'error({ %s })', "local bad = nil + %s", "local bad = none.field[%s]",
            "none(%s)", "local bad = {} < %s", "assert(false, %s)", "local bad = #%s" }
        emit("if %s and %s then " .. what .. " end", e("b", 1), e("b", 1), e("n", 1))
    end,
}

-- Programs --------------------------------------------------------------------------------------

local prelude = [[
local budget = %d
local function out() budget = budget - 1 return budget < 0 end
local function int(x) if x ~= x or x >= 1e15 or x <= -1e15 then return 0 end return x // 1 | 0 end
local function num(x) return math.type(x) == "integer" and x or type(x) == "string" and #x or 1 end
local function cut(s) s = tostring(s) if #s > 40 then return s:sub(1, 20) .. s:sub(-10) end return s end
local function y(v) if coroutine.isyieldable() and not out() then return num((coroutine.yield(v))) end return v or 0 end
Y = y
local function text(v)
    if type(v) == "string" then return #v > 60 and v:find("stack traceback") and v or cut(v) end
    if type(v) == "table" then return "table " .. tostring(rawget(v, "code") or rawget(v, "v") or rawget(v, 1)) end
    return tostring(v)
end
local function p(...)
    local t = table.pack(...)
    for i = 1, t.n do t[i] = text(t[i]) end
    print(table.concat(t, " ", 1, t.n))
end
local held = {}
local function keep(f) held[#held %% 7 + 1] = f end
local function kept() local r = 0 for i = 1, #held do r = (r * 31 + num(held[i]())) %% 1000003 end return r, #held end
local function handled(m) return "handled " .. text(m) end
local function range(n) return function(last, i) if i < last then return i + 1, last - i end end, n, 0 end
local function guard(n)
    return setmetatable({ v = n }, { __close = function(o, e) p("close", o.v, type(e) == "string" and e:match("^[^\n]*") or e) y(o.v) end })
end
local function closing(n) return function(last, i) if i < last then return i + 1, i end end, n, 0, guard(n) end
local function generate(n)
    return coroutine.wrap(function() for i = 1, n %% 4 do coroutine.yield(i, n) end end)
end
local function hop(o, i) i = i + 1 if i <= 2 then return i, o[i] end end
local function new(mt, v) return setmetatable({ v = v }, mt) end
local function val(x) return type(x) == "table" and num(rawget(x, "v")) or num(x) end
local global = {}
math.randomseed(%d)
]]

local numeric = { "add", "sub", "mul", "div", "mod", "pow", "idiv", "band", "bor", "bxor", "shl", "shr", "unm", "bnot", "len" }

local function metamethod(rank, event, params, last)
    local a, b = new_name "n", new_name "n"
    emit("M%d.__%s = function(%s)", rank, event, params or "o, other")
    emit("    local %s, %s = val(o), %s", a, b, params and "num(k)" or "val(other)")
    fuel = random(3) - 1
    body({ a, b }, false, rank, fuel, last)
    emit "end"
end

local function metatable(rank)
    emit("local M%d = {}", rank)
    for _, event in ipairs(numeric) do
        metamethod(rank, event, nil, function() return "return " .. e("n", 2) end)
    end
    for _, event in ipairs { "eq", "lt", "le" } do
        -- without __le, Lua may use __lt
        if event ~= "le" or rank % 2 == 0 then
            metamethod(rank, event, nil, function() return "return " .. pick { e("b", 2), e("b", 1), e("n", 1) .. " > 0" } end)
        end
    end
    metamethod(rank, "concat", nil, function() return "return " .. e("s", 2) end)
    if chance(50) then
        metamethod(rank, "index", "o, k", function() return "return " .. e("n", 2) end)
    else
        emit("M%d.__index = setmetatable({ a = %d, [1] = %d }, { __index = function(o, k)", rank, random(9), random(9))
        emit("    if k == 'm' then return function(...) return y(%d), select('#', ...), %d end end", random(99), random(99))
        emit("    return y(num(k) + %d)", random(9))
        emit "end })"
    end
    emit("local index%d = M%d.__index", rank, rank)
    emit("M%d.__index = function(o, k)", rank)
    emit("    if k == 'm' then return function(self, ...) return val(self), y(%d), select('#', ...) end end", random(9))
    emit("    if type(index%d) == 'table' then return index%d[k] end", rank, rank)
    emit("    return num((index%d(o, k)))", rank)
    emit "end"
    if chance(30) then emit("if type(index%d) == 'table' then M%d.__index = index%d end", rank, rank, rank) end
    emit("M%d.__newindex = function(o, k, v) rawset(o, 'v', (val(o) + num(v)) %% 1009) y(num(k)) end", rank)
    emit("M%d.__tostring = function(o) return 'object' .. val(o) end", rank)
    emit("M%d.__pairs = function(o) return range(%d) end", rank, random(4))
    emit("M%d.__call = function(o, ...)", rank)
    fuel = random(3)
    body({}, true, rank, fuel)
    emit "end"
end

local function program()
    emit(prelude, 30 + random(60), seed)
    for rank = 4, 1, -1 do
        if rank == 4 then
            -- the highest rank uses no objects: its methods are plain
            emit "local M4 = {}"
            for _, event in ipairs(numeric) do emit("M4.__%s = function(o, other) return y(val(o) * 3 %% 1000 + val(other)) end", event) end
            emit "M4.__tostring = function(o) return 'object' .. val(o) end"
            emit "M4.__eq = function(o, other) return y(val(o)) == val(other) end"
            emit "M4.__lt = function(o, other) return y(val(o)) < val(other) end"
            emit "M4.__concat = function(o, other) y(1) return 'c' .. val(o) .. '.' .. val(other) end"
            emit "M4.__index = function(o, k) if k == 'm' then return function(...) return y(1), y(2), y(3) end end return y(num(k)) end"
            emit "M4.__newindex = function(o, k, v) rawset(o, 'v', num(v) + num(y(k))) end"
            emit "M4.__call = function(o, ...) return val(o), select('#', ...), y(val(o)) end"
            emit "M4.__pairs = function(o) return range(2) end"
        else
            metatable(rank)
        end
    end
    for i = 1, 3 do
        emit("local o%d = new(M%d, %d)", i, i, random(50))
        declare("o", "o" .. i)
    end
    if concats then emit "collectgarbage 'stop'" end
    emit "local function main(...)"
    grow()
    fuel = 25 + random(30)
    block(function()
        func = { vararg = true, loops = 0, rank = 0, returns = false }
        statements(1000)
        emit "return kept()"
    end)
    emit "end"
    emit("p('main', %s)", pick { "main(1, 2, 3)", "pcall(main, 1)", "xpcall(main, debug.traceback)" })
    emit "budget = 30"
    emit "local co = coroutine.create(main)"
    emit "for i = 1, 60 do"
    emit "    p(i, coroutine.resume(co, i, i * 2))"
    emit "    if coroutine.status(co) == 'dead' then break end"
    emit "end"
    emit "budget = 20"
    emit "for i = 1, 12 do p(i, y(i), kept()) end"
    emit(pick { "p('end')", "main('last')", "p(main())", "error('the end')", "none.field = 1" })
end

program()
print(table.concat(out, "\n"))
