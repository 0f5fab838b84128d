-- An error that nobody catches: message and traceback on stderr, exit code 1.
local object = {}
object.__index = object
function object:run(n)
    for i = 1, 3 do
        if n == 0 and i == 2 then
            local t = setmetatable({}, { __index = function(_, k) error("no field " .. k) end })
            print("about to fail")
            return t.missing
        end
        if i == 3 then self.count = self.count + self:run(n - 1) end
    end
    return n
end
local function tail(...) return object.run(...) end
local function middle(n)
    local ok, e = pcall(error, "caught " .. n)
    print(ok, e)
    local r = tail(setmetatable({ count = 0 }, object), n)
    return r
end
local s = 0
for i = 1, 600 do s = s + i end
print(s)
middle(6)
print("never")
