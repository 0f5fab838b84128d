-- An uncaught error whose value is a table without __tostring; the second line of output is stderr's.
local steps = 0
local function work(n)
    steps = steps + 1
    if n == 0 then error({ code = steps }) end
    local ok, e = pcall(work, n - 1)
    if steps < 200 then return work(n - 1) end
    return error(ok and "never" or e)
end
for i = 1, 50 do
    local ok, e = pcall(work, i % 5)
    if i % 10 == 0 then print(i, ok, type(e), steps) end
end
io.stderr:write("now\n")
work(6)
