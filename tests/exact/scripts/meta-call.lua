-- __call: chains of it, as method, tail call, iterator, with varargs, as a coroutine's body.
local function wrap(f, name)
    return setmetatable({ name = name }, { __call = f })
end
local base = function(...) return select("#", ...), ... end
local c1 = wrap(function(self, ...) return self.name, ... end, "one")
local c2 = setmetatable({ name = "two" }, { __call = c1 })
local c3 = setmetatable({ name = "three" }, { __call = c2 })
local function names(...)
    local t = table.pack(...)
    for i = 1, t.n do t[i] = type(t[i]) == "table" and "<" .. t[i].name .. ">" or tostring(t[i]) end
    return table.concat(t, " ")
end
for i = 1, 10 do
    print(names(c1()), names(c1(i)), names(c2(i)), names(c3(i, nil)), names((c3(i))))
    local function tail(...) return c3(...) end
    print(names(tail(i, "t")), names(pcall(c2, i)), names(base(c1(base(i)))))
end
local counter = wrap(function(self, limit, i)
    i = (i or 0) + 1
    self.calls = (self.calls or 0) + 1
    if i <= limit then return i, self.calls end
end, "counter")
for i, calls in counter, 12 do io.write(i, ":", calls, " ") end
print()
local object = { name = "object", method = c2, plain = wrap(base, "plain") }
for i = 1, 5 do print(names(object:method(i)), names(object.plain(i)), names(object:plain(i, i))) end
local body = coroutine.wrap(function(...) return pcall(c3, ...) end)
print(names(body(1, 2)))
local fact = setmetatable({ name = "fact" }, { __call = function(self, n) return n <= 1 and 1 or n * self(n - 1) end })
for i = 1, 12 do io.write(fact(i), " ") end
print()
local memo = setmetatable({ name = "memo" }, { __call = function(self, n)
    local known = rawget(self, n)
    if known then return known end
    local v = n < 2 and n or self(n - 1) + self(n - 2)
    self[n] = v
    return v
end })
print(memo(50))
print(pcall(function() local t = setmetatable({}, { __call = 5 }) return t() end))
print(pcall(setmetatable({}, { __call = {} })))
print(names(select(2, pcall(wrap(function(self) error(self) end, "thrown")))))
