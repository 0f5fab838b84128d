-- Producer, filter, consumer: coroutines that resume each other, with queues between them.
local function producer(n)
    return coroutine.create(function()
        for i = 1, n do coroutine.yield("item" .. i, i * i) end
    end)
end
local function receive(p, ...)
    local ok, a, b = coroutine.resume(p, ...)
    if not ok then error(a, 0) end
    return a, b
end
local function filter(p, name)
    return coroutine.create(function()
        local line = 1
        while true do
            local x, v = receive(p)
            if not x then return end
            coroutine.yield(string.format("%s%d:%s", name, line, x), v + line)
            line = line + 1
        end
    end)
end
local function consume(p)
    local sum = 0
    while true do
        local x, v = receive(p)
        if not x then break end
        sum = sum + v
        print(x, v, sum)
    end
    return sum
end
print(consume(producer(5)))
print(consume(filter(filter(filter(producer(8), "a"), "b"), "c")))
-- a scheduler with tasks that wait for each other
local tasks, trace = {}, {}
local function spawn(name, f) tasks[#tasks + 1] = { name = name, co = coroutine.create(f) } end
local channel = {}
for id = 1, 3 do
    spawn("send" .. id, function()
        for i = 1, 4 do
            while #channel >= 3 do coroutine.yield("full") end
            table.insert(channel, id * 10 + i)
            coroutine.yield("sent")
        end
    end)
end
spawn("receive", function()
    local got = 0
    while got < 12 do
        while #channel == 0 do coroutine.yield("empty") end
        trace[#trace + 1] = table.remove(channel, 1)
        got = got + 1
        if got % 3 == 0 then coroutine.yield("rest") end
    end
end)
local round = 0
while #tasks > 0 do
    round = round + 1
    for i = #tasks, 1, -1 do
        local ok, what = coroutine.resume(tasks[i].co)
        io.write(tasks[i].name, "=", tostring(ok and what), " ")
        if coroutine.status(tasks[i].co) == "dead" then table.remove(tasks, i) end
    end
    print(round, #channel)
end
print(table.concat(trace, " "))
