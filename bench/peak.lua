-- Runs a program; the last line of stdout is the peak of the process's memory, in kB.

local program = table.remove(arg, 1)
dofile(program)
for line in io.lines("/proc/self/status") do
  local peak = line:match("^VmHWM:%s*(%d+)")
  if peak then
    print(peak)
  end
end
