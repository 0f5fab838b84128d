-- luacheck: ignore
-- A random program that cannot fail: all types answer all events, and each answer counts against a
-- budget. Called with a seed, returns the text. What it prints depends on nothing but the text.

local seed = ...
math.randomseed(seed)
local random = math.random

local out, depth, count = {}, 0, 0
local function emit(...) out[#out + 1] = ("  "):rep(depth) .. table.concat({...}) end
local function name(prefix) count = count + 1 return prefix .. count end
local function one_of(list) return list[random(#list)] end

-- Of the function being written: its visible variables, whether it has `...`, and the labels that
-- `continue` can go to; loops are left by break only where that is allowed.
local scope

local expression

local function variable(assigned)
    local list = {}
    for _, v in ipairs(scope.variables) do
        if not (assigned and v.constant) then list[#list + 1] = v.name end
    end
    return #list > 0 and one_of(list) or "G"
end

local function list(n, level)
    local t = {}
    for i = 1, n do t[i] = expression(level) end
    if n == 0 then return random(3) == 1 and scope.varargs and "..." or "" end
    if random(6) == 1 and scope.varargs then t[#t + 1] = "..." end
    if random(6) == 1 then t[#t + 1] = variable() .. "(" .. expression(0) .. ")" end
    return table.concat(t, ", ")
end

local statements

local function body(parameters, varargs)
    local outer = scope
    scope = {variables = table.move(outer.variables, 1, #outer.variables, 1, {}), varargs = varargs, level = outer.level + 1}
    for _, p in ipairs(parameters) do scope.variables[#scope.variables + 1] = {name = p} end
    local parts = table.move(parameters, 1, #parameters, 1, {})
    if varargs then parts[#parts + 1] = "..." end
    local before = out
    out = {}
    depth = depth + 1
    emit "tick()"
    statements(random(4))
    if random(3) == 1 and scope.tail ~= false then emit("return ", variable(), "(", list(random(0, 2), 1), ")")
    else emit("return ", list(random(0, 3), 1)) end
    depth = depth - 1
    local text = table.concat(out, "\n")
    out = before
    scope = outer
    return "function(" .. table.concat(parts, ", ") .. ")\n" .. text .. "\n" .. ("  "):rep(depth) .. "end"
end

local function closure()
    if scope.level > 3 then return variable() end
    local parameters = {}
    for i = 1, random(0, 3) do parameters[i] = name "p" end
    return body(parameters, random(3) == 1)
end

local arithmetic = {"+", "-", "*", "/", "%", "^", "//", "&", "|", "~", "<<", ">>"}
local comparisons = {"<", "<=", ">", ">=", "==", "~="}

function expression(level)
    local kind = random(level > 0 and 24 or 7)
    if kind <= 3 then return variable() end
    if kind == 4 then return tostring(random(-3, 9)) end
    if kind == 5 then return one_of {"1.5", "'s'", "'name'", "true", "false", "nil", "300", "70000"} end
    if kind == 6 then return scope.varargs and "(...)" or "O" end
    if kind == 7 then return variable() end
    local function e() return expression(level - 1) end
    if kind <= 10 then return "(" .. e() .. " " .. one_of(arithmetic) .. " " .. e() .. ")" end
    if kind == 11 then return "(" .. variable() .. " " .. one_of(comparisons) .. " " .. random(0, 5) .. ")" end
    if kind == 12 then return "(" .. e() .. " " .. one_of(comparisons) .. " " .. e() .. ")" end
    if kind == 13 then return "(" .. e() .. " and " .. e() .. ")" end
    if kind == 14 then return "(" .. e() .. " or " .. e() .. ")" end
    if kind == 15 then return "(not " .. e() .. ")" end
    if kind == 16 then return one_of {"-", "~", "#"} .. "(" .. e() .. ")" end
    if kind <= 18 then return "(" .. e() .. " .. " .. e() .. " .. " .. e() .. ")" end
    if kind == 19 then return "(" .. variable() .. ")." .. one_of {"a", "b", "f"} end
    if kind == 20 then return "(" .. variable() .. ")[" .. e() .. "]" end
    if kind == 21 then return "(" .. variable() .. "):m(" .. list(random(0, 2), level - 1) .. ")" end
    if kind == 22 then return "(" .. variable() .. ")(" .. list(random(0, 3), level - 1) .. ")" end
    if kind == 23 then return "T{" .. list(random(3), level - 1) .. ", " .. "x = " .. e() .. ", [" .. one_of {"1", "'y'"} .. "] = " .. e() .. ", " .. list(1, level - 1) .. "}" end
    return closure()
end

local function block(f)
    local variables, labels = #scope.variables, scope.label
    depth = depth + 1
    if f then f() end
    statements(random(3))
    depth = depth - 1
    for i = #scope.variables, variables + 1, -1 do scope.variables[i] = nil end
    scope.label = labels
end

-- The inner block is for the label: what is declared in it is closed there (up to 5.4.8 a variable
-- is not, if the label's block has declared more since).
local function loop_body(f, breaks)
    local outer, label = scope.breaks, name "L"
    scope.breaks = breaks
    depth = depth + 1
    if f then f() end
    emit "do"
    block(function() scope.label = label emit "tick()" end)
    emit "end"
    emit("::", label, "::")
    depth = depth - 1
    scope.breaks = outer
end

local function declare(n, constant)
    scope.variables[#scope.variables + 1] = {name = n, constant = constant}
end

local function loop_variable(v)
    return function()
        local n = name "v"
        emit("local ", n, " = ", v)
        declare(n)
    end
end

local kinds = {}
function kinds.declaration()
    local n, names = random(3), {}
    for i = 1, n do names[i] = name "v" end
    emit("local ", table.concat(names, ", "), random(8) == 1 and "" or " = " .. list(random(3), 2))
    for _, v in ipairs(names) do declare(v) end
end
kinds.declaration2 = kinds.declaration
function kinds.assignment() emit(variable(true), " = ", expression(3)) end
-- The parentheses are for Lua 5.4.4, which forgets to load t in `t[a == b] = v` if it is an upvalue.
function kinds.several() emit(variable(true), ", ", variable(), ".a, (", variable(), ")[", expression(1), "] = ", list(3, 2)) end
function kinds.field() emit("(", variable(), ").", one_of {"a", "b"}, " = ", expression(2)) out[#out] = out[#out]:gsub("^%s*", "%0;") end
function kinds.output() emit("put(", list(random(2), 2), ")") end
kinds.output2 = kinds.output
function kinds.call() emit(";(", variable(), ")(", list(random(0, 3), 2), ")") end
function kinds.method() emit(";(", variable(), "):m(", list(random(0, 3), 2), ")") end
function kinds.branch()
    emit("if ", expression(2), " then")
    block()
    if random(2) == 1 then emit("elseif ", expression(2), " then") block() end
    if random(2) == 1 then emit "else" block() end
    emit "end"
end
kinds.branch2 = kinds.branch
function kinds.scope() emit "do" block() emit "end" end
function kinds.number()
    local v, from, to = name "i", random(0, 3), random(0, 4)
    emit("for ", v, " = ", from, one_of {"", ".5"}, ", ", to, one_of {"", ", 1", ", 2", ", -1", ", 0.75"}, " do")
    local variables = #scope.variables
    declare(v)
    loop_body(nil, true)
    scope.variables[#scope.variables] = nil
    emit "end"
end
function kinds.generic()
    local names, closing = {}, random(4) == 1
    for i = 1, random(4) do names[i] = name "k" end
    emit("for ", table.concat(names, ", "), " in each(", random(4), closing and ", " .. one_of {"C()", "nil"} or "", ") do")
    for _, n in ipairs(names) do declare(n) end
    loop_body(nil, not closing)
    for _ = 1, #names do scope.variables[#scope.variables] = nil end
    emit "end"
end
function kinds.loop()
    local n = name "n"
    emit("local ", n, " = 0")
    emit("while ", n, " < ", random(4), " and ", expression(1), " ~= O do")
    depth = depth + 1
    emit(n, " = ", n, " + 1")
    depth = depth - 1
    loop_body(nil, true)
    emit "end"
end
function kinds.again()
    local n = name "n"
    emit("local ", n, " = 0")
    emit "repeat"
    depth = depth + 1
    emit(n, " = ", n, " + 1")
    local v, outer = name "v", scope.breaks
    scope.breaks = true
    emit("local ", v, " = ", expression(2))
    declare(v)
    emit "do"
    block()
    emit "end"
    scope.breaks = outer
    local condition = one_of {v .. " == 1", "(function() return " .. v .. " end)()", expression(1)}
    depth = depth - 1
    emit("until ", n, " > ", random(3), " or ", condition)
    scope.variables[#scope.variables] = nil
end
function kinds.leave()
    if scope.breaks then emit("if ", expression(1), " then break end") end
end
kinds.leave2 = kinds.leave
function kinds.continue()
    if scope.label then emit("if ", expression(1), " then goto ", scope.label, " end") end
end
function kinds.back()
    local label, n = name "L", name "n"
    emit("local ", n, " = 0")
    emit("::", label, "::")
    depth = depth + 1
    emit "do"
    block()
    emit(n, " = ", n, " + 1")
    emit("if ", n, " < 3 then goto ", label, " end")
    emit "end"
    depth = depth - 1
end
function kinds.result()
    if scope.level > 1 then emit("if ", expression(1), " then return ", list(random(0, 3), 2), " end") end
end
function kinds.tail()
    if scope.level > 1 then emit("if ", expression(1), " then return (", variable(), ")(", list(random(0, 2), 1), ") end") end
end
kinds["function"] = function()
    if scope.level > 3 then return end
    local f = name "f"
    declare(f)
    local text = closure():gsub("^function", "", 1)
    emit("local function ", f, text)
    emit("put(", f, "(", list(random(0, 2), 1), "))")
end
function kinds.close()
    local v = name "c"
    emit("local ", v, " <close> = ", one_of {"C()", "C()", "nil", "false"})
    declare(v, true)
end
function kinds.protected()
    if scope.level > 3 then return end
    emit("put(pcall(", body({}, false), "))")
end
function kinds.thread()
    if scope.level > 3 then return end
    emit("drive(", body({name "p"}, random(2) == 1), ", ", expression(1), ")")
end
function kinds.pause() emit(one_of {"put", "local _ = "}, "(pause(", list(1, 1), "))") end

local kind_names = {}
for k in pairs(kinds) do kind_names[#kind_names + 1] = k end
table.sort(kind_names)

function statements(n)
    for _ = 1, n do
        if depth > 7 or #out > 150 then return end
        if #scope.variables < 60 then kinds[one_of(kind_names)]() end
    end
end

-- What a program runs on.
-- (Debian's Lua 5.4.4 reads freed memory when a stack grows under __concat: they grow beforehand,
-- and after a caught error, which shrinks them; the collector, which does so too, is off.)
local prelude = [==[
collectgarbage "stop"
local function grown(size, ...)
  select("#", table.unpack({}, 1, size))
  return ...
end
local stock_pcall = pcall
local function pcall(...) return grown(2000, stock_pcall(...)) end
local ticks, turn, line = 0, 0, {}
local O = {}
local function tick()
  ticks = ticks + 1
  if ticks > 1500 then error("budget", 0) end
end
local function put(...)
  for i = 1, select("#", ...) do
    local v = select(i, ...)
    local t = type(v)
    line[#line + 1] = t == "string" and #v > 40 and "#" .. #v or (t == "number" or t == "string" or t == "boolean") and tostring(v) or t
  end
  if #line > 20 then print(table.concat(line, " ")) line = {} end
end
local function pause(...)
  if coroutine.isyieldable() and ticks % 3 == 0 then return coroutine.yield(...) end
  return ...
end
local M = {}
local G = setmetatable({}, M)
local function answer(a, b)
  tick()
  turn = turn + 1
  local x, y = turn % 11, turn % 3
  if x == 1 then return turn elseif x == 2 then return "s" .. y elseif x == 3 then return nil
  elseif x == 4 then return true elseif x == 5 then return a elseif x == 6 then return b
  elseif x == 7 then return pause(y) elseif x == 8 then return function(...) return ..., y end
  elseif x == 9 then return turn / 2 end
  return G
end
for e in ("add sub mul div mod pow unm idiv band bor bxor shl shr bnot concat len lt le index"):gmatch "%a+" do
  M["__" .. e] = answer
end
function M.__eq(a, b) tick() local r = answer(a, b) return r == nil or r == true end
function M.__newindex(t, k, v) tick() local x, y = k, v put(y) pause(x) end
function M.__call(f, ...) tick() local a, b = ... put(a) return answer(a, b), b, pause(a) end
local function T(t) return setmetatable(t, M) end
for _, v in ipairs {0, "", true, print} do debug.setmetatable(v, M) end
debug.setmetatable(nil, M)
local function C()
  local n = turn
  return setmetatable({}, {__close = function(_, e)
    local a, b = n, e
    put("close", a, b)
    pause(a)
    if a % 13 == 5 then error("closing " .. a, 0) end
  end})
end
local function each(n, c)
  return function(s, i) tick() local j = i + 1 if j <= s then return j, turn % 5, pause(j) end end, n, 0, c
end
local function drive(f, ...)
  local co = coroutine.create(function(...)
    return f(grown(20000, ...))
  end)
  local r = table.pack(coroutine.resume(co, ...))
  while coroutine.status(co) == "suspended" do
    put(r[2])
    r = table.pack(coroutine.resume(co, turn % 4))
  end
  put(table.unpack(r, 1, r.n))
end
drive(function(...)
]==]

scope = {variables = {}, varargs = true, level = 1}
depth = 1
for _ = 1, 12 do
    if #scope.variables > 80 then break end
    statements(4)
end
return prelude .. table.concat(out, "\n") .. "\nend, 1, 2, 3)\nprint(table.concat(line, ' '), ticks, turn)\n"
