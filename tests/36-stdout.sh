#!/bin/sh
# stdout and stderr: cut back where they are files, left alone where they are not.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # sh -c has parameters of its own
. "$(dirname "$0")/lib.sh"
CKPTLUA_INTERVAL=never
export CKPTLUA_INTERVAL

# Saves at line 10, prints on to line 15, and is gone; behind that it goes on to line 20.
cat >job.lua <<'LUA'
local self = io.open("/proc/self/stat")
local pid = math.tointeger(self:read("n"))
self:close()
local stream = io[arg[1] or "stdout"]
i = i or 0
while i < 20 do
  i = i + 1
  stream:write("line ", i, "\n")
  if i == 10 then checkpoint(true) end
  if i == 15 and ckpt.resumed == 0 then
    stream:flush()
    os.execute("kill -KILL " .. pid)
    while true do end
  end
end
LUA
seq -f 'line %g' 20 >expected

# run CODE COMMANDS: in a shell, with ours away from the streams in question.
run()
{
    expect_exit "$1" sh -c "$2" sh "$CKPTLUA"
}

# >> : cut back to the save.
run 137 '"$1" job.lua >>log'
[ "$(wc -l <log)" = 15 ] || fail 'not 15 lines before the kill'
run 0 '"$1" job.lua >>log'
expect_same expected log
expect_no_message emptied
rm log

# What was in the file before the job stays.
echo before >log
{ echo before; cat expected; } >all
run 137 '"$1" job.lua >>log'
run 0 '"$1" job.lua >>log'
expect_same all log
rm log all

# > : the shell has emptied it; one warning, and the job goes on.
run 137 '"$1" job.lua >log'
run 0 '"$1" job.lua >log'
expect_once 'ckptlua: stdout has been emptied since job.ckpt was saved'
expect_message 'use >> or --output'
seq -f 'line %g' 11 20 | cmp - log || fail 'what was printed since the save is not there'
only_scripts_and expected log

# Another file, which is longer and not ours: nothing is cut.
run 137 '"$1" job.lua >>log'
seq 1000 >other
cp other kept
run 0 '"$1" job.lua >>other'
{ cat kept; seq -f 'line %g' 11 20; } | cmp - other || fail 'a file that is not the one of the save was changed'
rm log other kept

# The same bytes in another file, as in a copied sandbox: cut back.
run 137 '"$1" job.lua >>log'
cp log copy
rm log
run 0 '"$1" job.lua >>copy'
expect_same expected copy
rm copy

# A file opened for reading and writing, with the position at its end.
run 137 '"$1" job.lua 1<>log'
run 0 '"$1" job.lua 1<>log'
expect_same expected log
rm log

# stderr as well; our own messages are in it, and are no reason to warn.
run 137 '"$1" job.lua stderr 2>>log'
run 0 '"$1" job.lua stderr 2>>log'
grep '^line' log | cmp - expected || fail 'stderr was not cut back'
rm log

# Both in one file: not cut back, not emptied, and no line is lost.
run 137 '"$1" job.lua >>log 2>&1'
run 0 '"$1" job.lua >>log 2>&1'
grep '^line' log | sort -u | wc -l | grep -qx 20 || fail 'a line is lost'
[ "$(grep -c '^line' log)" = 25 ] || fail 'it was cut back'
rm log

# A pipe: the reader sees again what was printed since the save.
run 137 'exec 3>log; { "$1" job.lua; echo $? >code; } | cat >&3; exit $(cat code)'
run 0 '"$1" job.lua | cat >>log'
[ "$(grep -c '^line' log)" = 25 ] || fail 'not 25 lines'
rm log code

# --output: a file the job has open. Begun anew by a fresh job, cut back by one that continues.
echo old >log
run 137 '"$1" --output log job.lua'
[ ! -s "$out" ] || fail 'there is something on stdout'
run 0 '"$1" --output log job.lua'
expect_same expected log
run 137 '"$1" --output=log job.lua'
run 0 'CKPTLUA_OUTPUT=log "$1" job.lua'
expect_same expected log
# Shorter than at the save, or gone: not used.
run 137 '"$1" --output log job.lua'
cp job.ckpt kept
echo short >log
run 3 '"$1" --output log job.lua'
expect_message 'ckptlua: job.ckpt cannot be continued: log is 6 bytes long, 71 were written when'
[ "$(cat log)" = short ] || fail 'it was changed'
rm log
run 3 '"$1" --output log job.lua'
expect_message 'log' '71 were written'
expect_same kept job.ckpt
rm -f job.ckpt* kept log
run 2 '"$1" --output no/such/folder job.lua'
expect_message 'ckptlua: cannot open no/such/folder for the job'\''s output'
mkdir folder
run 2 '"$1" --output folder job.lua'
rmdir folder
run 2 '"$1" --output "" job.lua'
only_scripts_and expected

# Closed streams are no reason to fail, nor to write into the snapshot.
echo 'x = 1 checkpoint(true) print("lost") io.stderr:write("lost") os.exit(9)' >closed.lua
for close in '<&-' '2>&-' '<&- 2>&-'; do
    run 9 '"$1" closed.lua '"$close"
    header closed.ckpt 'checksum good'
    rm closed.ckpt
done
run 9 '"$1" closed.lua >&-'
header closed.ckpt 'checksum good'
