-- N queens by recursion in a coroutine, the boards come out of a generic for.
local function solutions(n)
    local cols, diag1, diag2, board = {}, {}, {}, {}
    local function place(row)
        if row > n then
            coroutine.yield(board)
            return
        end
        for c = 1, n do
            if not (cols[c] or diag1[row + c] or diag2[row - c]) then
                cols[c], diag1[row + c], diag2[row - c], board[row] = true, true, true, c
                place(row + 1)
                cols[c], diag1[row + c], diag2[row - c] = nil, nil, nil
            end
        end
    end
    return coroutine.wrap(function() place(1) end)
end
for n = 1, 6 do
    local count = 0
    for board in solutions(n) do
        count = count + 1
        if count <= 4 then print(n, table.concat(board, " ", 1, n)) end
    end
    print(n, count)
end
