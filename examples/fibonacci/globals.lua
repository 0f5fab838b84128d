-- Fibonacci numbers, as in fibonacci.lua, from saved globals: MATLAB's load and save around a
-- while loop.
--
--     ckptlua --resume globals globals.lua [terms] [pause]
--
-- terms: how many, default 100; pause: seconds between them, default 0.5, so that there is time
-- to interrupt the job. Started again, it begins at the top, finds x and k, and goes on with the
-- next term, even if the script has been edited meanwhile.

no_of_terms = tonumber(arg[1] or 100)
pause = tonumber(arg[2] or 0.5)
if not no_of_terms or not pause then
  error("usage: globals.lua [terms] [pause in seconds]", 0)
end

x = x or { 0, 1 } -- all terms so far
k = k or 3        -- the term to compute next
ratio = ratio or 0
settled = settled or false

while k <= no_of_terms do
  if math.type(x[k - 1]) == "integer" and x[k - 1] > math.maxinteger - x[k - 2] then
    print("-- beyond 2^63 - 1, the largest integer: floats of 16 digits from here")
    x[k] = x[k - 1] + 0.0 + x[k - 2]
  else
    x[k] = x[k - 1] + x[k - 2]
  end
  last_ratio, ratio = ratio, x[k] / x[k - 1]
  if x[k] == math.huge then
    print("-- beyond 1.8e308, the largest float: the end")
    break
  end

  print(string.format(math.type(x[k]) == "integer" and "%5d  %22d  %.15f" or "%5d  %22.15e  %.15f",
    k, x[k], ratio))
  if x[k] > 2^53 and x[k - 1] <= 2^53 then
    print("-- beyond 2^53, where floats leave out integers; these are integers and stay exact")
  end
  if ratio == last_ratio and not settled then
    settled = true
    print("-- the golden ratio: from here it does not change any more in these 15 decimals")
  end

  k = k + 1
  ckpt.sleep(pause)
  checkpoint()
end
