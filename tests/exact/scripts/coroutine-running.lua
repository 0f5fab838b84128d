-- running, isyieldable, status: in the main thread and in coroutines, before and after yields.
local main, ismain = coroutine.running()
print(type(main), ismain, coroutine.isyieldable(), coroutine.status(main))
print(coroutine.isyieldable(main))
local seen = {}
local function look(where)
    local co, m = coroutine.running()
    seen[co] = (seen[co] or 0) + 1
    print(where, m, co == main, seen[co], coroutine.isyieldable(), coroutine.status(main), coroutine.status(co))
    return co
end
look "main"
local kept = {}
for i = 1, 5 do
    local co
    co = coroutine.create(function(...)
        for j = 1, i do
            assert(look("in " .. i .. "." .. j) == co)
            coroutine.yield(j)
            table.sort({ 3, 1, 2 }, function(a, b)
                if j == 1 and a == 1 then look "sort" end
                return a < b
            end)
        end
        return look("end"), ...
    end)
    kept[i] = co
end
for round = 1, 6 do
    for i = 1, 5 do
        if coroutine.status(kept[i]) == "suspended" then
            local ok, v = coroutine.resume(kept[i])
            print(round, i, ok, v == kept[i] or v)
        end
    end
    look "main again"
end
print(coroutine.running() == main, pcall(coroutine.resume, main))
print(coroutine.resume(coroutine.create(function() return coroutine.resume(main) end)))
print(pcall(coroutine.status))
print(coroutine.wrap(function() return pcall(coroutine.close, main) end)())
