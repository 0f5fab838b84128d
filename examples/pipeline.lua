-- Three steps, with a mark behind each of the first two to go back to.
--
--     ckptlua --seed 1 --resume globals pipeline.lua
--     ckptlua --from sampled pipeline.lua
--
-- The first command runs it all. A mark is a file, pipeline.ckpt@sampled, that stays when the job
-- has ended. Now change `width` below and give the second command: the sampling, which takes ten
-- seconds, is not repeated. Saved are the globals, so that the script may be edited.
-- Marks are removed by hand: rm pipeline.ckpt@*
-- Expect, with seed 1:
--     sampled    1000 values
--     smoothed   over 25 values
--     highest    6.06 at 770

count = 1000
width = 25 -- assigned at each start: an edit counts, whatever was saved

step = step or "sample"

if step == "sample" then -- a random walk
  walk = walk or { 0 }
  while #walk < count do
    walk[#walk + 1] = walk[#walk] + math.random() - 0.5
    ckpt.progress(#walk, count)
    ckpt.sleep(0.01)
    checkpoint()
  end
  print(string.format("sampled    %d values", #walk))
  step = "smooth"
  ckpt.mark("sampled")
end

if step == "smooth" then -- the mean of each `width` neighbours
  smooth = smooth or {}
  while #smooth + width <= #walk do
    sum = 0
    for i = #smooth + 1, #smooth + width do
      sum = sum + walk[i]
    end
    smooth[#smooth + 1] = sum / width
    checkpoint()
  end
  print(string.format("smoothed   over %d values", width))
  step = "report"
  ckpt.mark("smoothed")
end

highest = 1
for i = 2, #smooth do
  if smooth[i] > smooth[highest] then
    highest = i
  end
end
print(string.format("highest    %.2f at %d", smooth[highest], highest))
