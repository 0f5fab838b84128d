-- while and repeat: conditions with calls, upvalues of the body in the condition of until.
local n, steps = 27, 0
while n ~= 1 do
    n = n % 2 == 0 and n // 2 or 3 * n + 1
    steps = steps + 1
end
print(n, steps)
local kept = {}
repeat
    local x = #kept + 1
    local function get() return x end
    kept[x] = function() x = x + 10 return x end
until get() * 2 > 20
for _ = 1, 2 do
    for i, f in ipairs(kept) do io.write(i, ":", f(), " ") end
    print()
end
local i = 0
repeat
    local done = i >= 10
    i = i + 1
    if i % 3 == 0 then goto next end
    io.write(i, " ")
    ::next::
    local _ = nil
until true and i > 12
print(i)
local k = 10
while true do
    k = k - 1
    local j = k
    while true do
        j = j - 1
        if j < 0 then break end
        if j % 4 == 3 then break end
        repeat
            j = j - 2
            if j % 5 == 0 then break end
        until j < 3
    end
    io.write(k, "/", j, " ")
    if k <= 0 then break end
end
print()
repeat
    local a <const> = 3
    local f = function() return a + i end
    i = i + 1
until f() > 25
print(i)
while i > 0 and (i % 7 ~= 0 or i > 50) do i = i - 1 end
print(i)
