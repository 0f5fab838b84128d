-- An uncaught error that is an object with __tostring; the text of the object is what is printed.
local state = {}
local failure = setmetatable({}, {
    __tostring = function() return "failure after " .. #state .. " steps" end,
})
local function step(n)
    state[#state + 1] = n
    if #state == 100 then error(failure) end
    return n * 3 % 17
end
local x = 1
while true do
    x = step(x)
    if #state % 10 == 0 then print(#state, x) end
    local ok = pcall(error, failure)
    if ok then break end
end
