-- Objects that their finalizers bring back, once or always.
collectgarbage("stop")
local pool, made, saved, lost = {}, 0, 0, 0
local mt = {}
mt.__gc = function(o)
    if o.lives > 0 then
        o.lives = o.lives - 1
        saved = saved + 1
        pool[#pool + 1] = setmetatable(o, mt)
    else
        lost = lost + 1
    end
end
local function take(lives)
    local o = table.remove(pool)
    if not o then
        made = made + 1
        o = setmetatable({ number = made, lives = lives }, mt)
    end
    return o
end
local users = {}
for round = 1, 60 do
    for i = 1, 25 do users[(i * round) % 40 + 1] = take(round % 4) end
    if round % 3 == 0 then collectgarbage() end
    local numbers = {}
    for i = math.max(1, #pool - 9), #pool do numbers[#numbers + 1] = pool[i].number .. "/" .. pool[i].lives end
    print(round, made, saved, lost, #pool, table.concat(numbers, " "))
end
mt.__gc = nil
