-- All ways to put n queens on a board of n x n so that none attacks another, by recursion.
--
--     ckptlua queens.lua [n] [shown]
--
-- n: default 10; 12 takes some seconds, and each one more seven times as long. shown: how many of
-- the solutions are printed, default 3. The search is a coroutine that yields each solution from
-- the depth of its recursion: it is saved as it stands, and goes on there. lua5.4 runs it too.
-- Expect, for 6:
--     1   2 4 6 1 3 5
--     2   3 6 2 5 1 4
--     3   4 1 5 2 6 3
--     6 queens: 4 solutions, 152 boards looked at

local n = math.tointeger(tonumber(arg[1] or 10))
local shown = math.tointeger(tonumber(arg[2] or 3))
if not n or n < 1 or not shown then
  error("usage: queens.lua [n] [solutions shown]", 0)
end

local looked_at = 0

-- Whether a queen in this column of the next row is attacked by one on the board.
local function attacked(board, column)
  local row = #board + 1
  for i, other in ipairs(board) do
    if other == column or math.abs(other - column) == row - i then return true end
  end
  return false
end

local function place(board)
  if #board == n then
    coroutine.yield(board)
    return
  end
  for column = 1, n do
    if not attacked(board, column) then
      looked_at = looked_at + 1
      board[#board + 1] = column
      place(board)
      board[#board] = nil
    end
  end
end

local count = 0
for board in coroutine.wrap(function() place({}) end) do
  count = count + 1
  if count <= shown then
    print(string.format("%-3d %s", count, table.concat(board, " ")))
  end
end
print(string.format("%d queens: %d solutions, %d boards looked at", n, count, looked_at))
