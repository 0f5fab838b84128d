-- Counts to 10 in pieces: saves and exits with code 77 at every third step.
--
--     ckptlua ten.lua; echo "exit code $?"
--
-- Four runs of this command print 1 2 3, 4 5 6, 7 8 9 and 10. The first three end with 77, which
-- says `run me again` to whatever started the job; the fourth ends with 0. All at once:
--     until ckptlua ten.lua; do echo "exit code $?" >&2; done

for i = 1, 10 do
  print(i)
  if i % 3 == 0 then
    ckpt.exit(77)
  end
end
