#!/bin/sh
# Lines that others write into the job's stdout between its runs stay; the job's own come once.
. "$(dirname "$0")/lib.sh"

cat >ten.lua <<'LUA'
i = i or 0
while i < 10 do
  i = i + 1
  print(i)
  io.stdout:flush()
  if i % 3 == 0 then ckpt.exit(77) end
end
LUA

# Runs that end by themselves, in one file with the lines of the script that starts them.
{
    for run in 1 2 3 4; do
        echo "run $run"
        code=0
        "$CKPTLUA" --quiet ten.lua || code=$?
        echo "code $code"
    done
} >log
printf '%s\n' 'run 1' 1 2 3 'code 77' 'run 2' 4 5 6 'code 77' 'run 3' 7 8 9 'code 77' 'run 4' 10 \
    'code 0' >expected
expect_same expected log

# Killed behind a continue from a run that had ended by itself.
cat >job.lua <<'LUA'
i = i or 0
while i < 4 do
  i = i + 1
  print(i)
  io.stdout:flush()
  if i == 2 and ckpt.resumed == 0 then ckpt.exit() end
  while i == 3 and os.getenv("HANG") do ckpt.sleep(1) end
end
LUA
exec 4>>log3
"$CKPTLUA" --quiet --interval never job.lua >&4 || true
echo 'between' >&4
HANG=1 "$CKPTLUA" --quiet --interval never job.lua >&4 &
pid=$!
while ! grep -q '^3$' log3; do sleep 0.02; done
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
expect_exit 0 env CKPTLUA_QUIET=1 sh -c "exec \"$CKPTLUA\" --interval never job.lua >>log3"
printf '%s\n' 1 2 between 3 4 >expected
expect_same expected log3

# Killed before its first save, with >>: the next start takes back what it had printed.
sed 's/ckpt.exit()/while os.getenv("HANG") do ckpt.sleep(1) end/' job.lua >first.lua
echo 'before' >log4
HANG=1 "$CKPTLUA" --quiet --interval never first.lua >>log4 &
pid=$!
while ! grep -q '^2$' log4; do sleep 0.02; done
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
expect_exit 0 sh -c "exec \"$CKPTLUA\" --interval never first.lua >>log4"
printf '%s\n' before 1 2 3 4 >expected
expect_same expected log4
