-- Float loops: the accumulated error of the steps must be the same after a resume.
local sum, last = 0, 0
for x = 0, 1, 0.1 do
    sum = sum + x
    last = x
    print(string.format("%.17g %.17g", x, sum))
end
for x = 1, 0, -0.07 do
    sum = sum * 0.99 + x
    io.write(string.format("%a ", sum))
end
print()
local n = 0
for x = 0.0, 20.0, 0.015625 do
    n = n + x * x
    if x % 5 == 0 then print(x, n) end
end
print(n, last)
for x = 1e15, 1e15 + 2, 0.3 do io.write(string.format("%.3f ", x)) end
print()
for x = 3, 1 do print("never", x) end
for x = -1.0, -2.0, -0.5 do
    for y = x, 0, 0.75 do io.write(x, ":", y, " ") end
end
print()
