-- Long if chains, and/or values, comparisons with constants of each kind, not, nested conditions.
local function class(x)
    if x == nil then return "nil"
    elseif x == false then return "false"
    elseif x == true then return "true"
    elseif x == "" then return "empty"
    elseif x == "text" then return "text"
    elseif type(x) ~= "number" then return "other " .. type(x)
    elseif x ~= x then return "nan"
    elseif x == 0 then return "zero"
    elseif x == 1.5 then return "one and a half"
    elseif x < -100 then return "very low"
    elseif x <= -10 then return "low"
    elseif x < 0 then return "negative"
    elseif x > 1000000 then return "huge"
    elseif x >= 100000 then return "big"
    elseif x > 127 and x < 200 or x == 255 then return "byte"
    elseif not (x < 50) then return "fifty or more"
    elseif x % 2 == 0 then if x > 20 then return "even above 20" else return "even" end
    elseif x // 1 ~= x then return "fraction"
    else return "odd" end
end
local samples = { false, true, "", "text", "other", {}, print, 0 / 0, 0, -0.0, 1.5, -1e9, -100, -10, -9.5, 2e6, 100000, 99999,
    128, 199, 200, 255, 50, 49, 22, 20, 2, 3.25, 7, math.maxinteger, math.mininteger, 1 / 0 }
for i, v in ipairs(samples) do io.write(i, "=", class(v), "; ") end
print(class(nil))
for i = 1, 20 do
    local a = i > 10 and "high" or i > 5 and "mid" or "low"
    local b = i % 3 == 0 and nil or i % 2 == 0 and false
    local c = not b and not not a
    local d = (b or a) and (a and b)
    local e = i == 7 or i == 11 or nil
    local f = (i < 5) == (i ~= 3)
    local g = nil or false or i > 18 and i
    local h = i and (i - 1 > 0 and i - 1 or "none") or "never"
    print(i, a, b, c, d, e, f, g, h, (i > 2 and i or 2) + (i < 9 and 1 or 0), not (i > 3 and i < 6 or i == 12))
    if not (a == "mid" or b) and (c or d) then
        if e then print "e" elseif f and not g then print "f" end
    elseif a ~= "low" and (b == false or h == 5) then
        print "second"
    end
    local t = { x = i > 4, y = i > 4 and { i } or nil }
    if t.x and t.y[1] > 15 or not t.x and not t.y then print(t.x, t.y and t.y[1]) end
end
