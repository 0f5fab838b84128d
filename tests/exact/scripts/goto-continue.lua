-- goto: continue, nested continue, loops made of it, jumps out of blocks with captured locals.
for i = 1, 30 do
    if i % 2 == 0 then goto continue end
    for j = 1, 6 do
        if j == 3 then goto inner end
        if i * j > 60 then goto continue end
        io.write(i * j, " ")
        ::inner::
    end
    print("row", i)
    ::continue::
end
-- a loop by hand; each pass has a fresh local
local kept, i = {}, 0
do
    ::top::
    local x = i * i
    kept[#kept + 1] = function() x = x + 1 return x end
    i = i + 1
    if i < 12 then goto top end
end
for _, f in ipairs(kept) do io.write(f(), ",", f(), " ") end
print()
-- a state machine
local input, at, state = "aabbbcabcc$", 0, {}
::start::
at = at + 1
local c = input:sub(at, at)
if c == "a" then goto a elseif c == "b" then goto b elseif c == "c" then goto see end
goto finish
::a:: state[#state + 1] = "A" goto start
::b:: state[#state + 1] = "B" if #state % 3 == 0 then goto a end goto start
::see:: state[#state + 1] = "C" goto start
::finish::
print(table.concat(state), at)
-- out of three loops at once, with closures on every level
local gets = {}
for a = 1, 5 do
    for b = 1, 5 do
        local product = a * b
        for d = 1, 5 do
            gets[#gets + 1] = function() product = product + a + b + d return product end
            if product * d == 24 then goto out end
            if d == b then goto again end
        end
        ::again::
    end
end
::out::
print(#gets)
for n = 1, #gets, 3 do io.write(gets[n](), " ", gets[n](), " ") end
print()
