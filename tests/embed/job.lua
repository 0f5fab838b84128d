-- Stops half way, and is done in the second run.
sum = sum or 0
i = i or 1
while i <= 10 do
  sum = sum + i
  i = i + 1
  if i == 6 then
    ckpt.exit()
  end
end
print("sum", sum, "continued", ckpt.resumed)
