-- Needs S, L: two passes over one table: a header in the first, rows in the second, must agree; sets and counts.
local columns = {}
for w in ("alpha beta gamma delta epsilon zeta eta theta iota kappa"):gmatch("%a+") do columns[w] = true end
local header = {}
for name in pairs(columns) do header[#header + 1] = name end
print(table.concat(header, "\t"))
for row = 1, 8 do
    local at = 0
    for name in pairs(columns) do
        at = at + 1
        if header[at] ~= name then print("DIFFERENT", row, at, header[at], name) end
        io.write(#name * row, "\t")
    end
    print()
end
local set = {}
for _, v in ipairs(header) do set[v:sub(1, 1)] = (set[v:sub(1, 1)] or 0) + 1 end
for k, n in pairs(set) do io.write(k, n, " ") end
print()
local function copy(t)
    local r = {}
    for k, v in pairs(t) do r[k] = type(v) == "table" and copy(v) or v end
    return r
end
local nested = { a = { x = 1, y = 2 }, b = { z = 3, w = { q = 4, r = 5 } }, c = 6 }
local twin = copy(nested)
local function flat(t, prefix, out)
    for k, v in pairs(t) do if type(v) == "table" then flat(v, prefix .. k .. ".", out) else out[#out + 1] = prefix .. k .. v end end
    table.sort(out)
    return out
end
print(table.concat(flat(nested, "", {}), " "))
print(table.concat(flat(twin, "", {}), " "))
