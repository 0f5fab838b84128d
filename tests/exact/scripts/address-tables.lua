-- Tables as keys: sets with a history, whose order is that of the addresses. The collector stands
-- still, so that garbage stays where it is.
collectgarbage("stop")
local seed = 17
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local id = 0
local function object()
    id = id + 1
    return { id = id }
end
local sets, objects = { {}, {}, {} }, {}
local function digest(set)
    local sum, count = 0, 0
    for o, v in pairs(set) do
        sum, count = (sum * 31 + (type(o) == "table" and o.id or #tostring(o)) + v) % 1000003, count + 1
    end
    return count .. ":" .. sum
end
for step = 1, 200 do
    local set = sets[random(#sets)]
    local what = random(8)
    if what <= 3 then
        local o = object()
        objects[random(60)] = o -- the one that was there may be garbage
        set[o] = step
    elseif what == 4 then
        local o = objects[random(60)]
        if o then set[o] = nil end
    elseif what == 5 then
        for o in pairs(set) do if random(4) == 1 then set[o] = nil end end
    elseif what == 6 then
        set["text" .. random(20)] = step
        set[random(20)] = step
    elseif what == 7 then
        for _ = 1, random(9) do object() end
    else
        local o = objects[random(60)]
        if o then set[o] = (set[o] or 0) + 1 end
    end
    if step % 10 == 0 then print(step, digest(sets[1]), digest(sets[2]), digest(sets[3]), object()) end
end
print(sets, ("%p %p"):format(objects, sets[2]), #objects)
