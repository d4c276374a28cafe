-- What `make run` shows.
local function queens(n)
  local found, columns, up, down = nil, {}, {}, {}
  local function place(row, board)
    if row > n then found = { table.unpack(board) } return true end
    for column = 1, n do
      if not (columns[column] or up[row + column] or down[row - column + n]) then
        columns[column], up[row + column], down[row - column + n] = true, true, true
        board[row] = column
        if place(row + 1, board) then return true end
        columns[column], up[row + column], down[row - column + n] = nil, nil, nil
      end
    end
  end
  place(1, {})
  return found
end

print("Hello from " .. _VERSION .. ", each function compiled at its first call.")
for _, column in ipairs(queens(8)) do
  print("  " .. (". "):rep(column - 1) .. "Q" .. (" ."):rep(8 - column))
end
