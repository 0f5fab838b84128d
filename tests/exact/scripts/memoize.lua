-- Higher-order functions: memoize, compose, curry, fold, lazy streams; everything is a closure.
local calls = 0
local function memoize(f)
    local cache = {}
    return function(n)
        local v = cache[n]
        if v == nil then
            v = f(n)
            cache[n] = v
        end
        return v
    end
end
local fib
fib = memoize(function(n)
    calls = calls + 1
    if n < 2 then return n end
    return fib(n - 1) + fib(n - 2)
end)
for i = 0, 60, 12 do print(i, fib(i), calls) end
local function compose(f, ...)
    if select("#", ...) == 0 then return f end
    local g = compose(...)
    return function(...) return f(g(...)) end
end
local function curry(f, n, ...)
    local have = table.pack(...)
    if have.n >= n then return f(...) end
    return function(...)
        local all = table.pack(table.unpack(have, 1, have.n))
        for i = 1, select("#", ...) do all[have.n + i] = (select(i, ...)) end
        return curry(f, n, table.unpack(all, 1, have.n + select("#", ...)))
    end
end
local inc, double = function(x) return x + 1 end, function(x) return x * 2 end
for i = 1, 6 do print(compose(inc, double, inc)(i), compose(double)(i), curry(function(a, b, c) return a .. b .. c end, 3)(i)(2, 3)) end
local function cons(head, tail) return { head = head, tail = tail } end
local function from(n) return cons(n, function() return from(n + 1) end) end
local function filter(s, p)
    while not p(s.head) do s = s.tail() end
    return cons(s.head, function() return filter(s.tail(), p) end)
end
local function map(s, f) return cons(f(s.head), function() return map(s.tail(), f) end) end
local function sieve(s)
    return cons(s.head, function() return sieve(filter(s.tail(), function(x) return x % s.head ~= 0 end)) end)
end
local s = map(sieve(from(2)), function(x) return x * 10 end)
for _ = 1, 12 do
    io.write(s.head, " ")
    s = s.tail()
end
print()
local function Y(f) return (function(x) return x(x) end)(function(x) return f(function(...) return x(x)(...) end) end) end
print(Y(function(self) return function(n) if n == 0 then return 1 end return n * self(n - 1) end end)(15))
