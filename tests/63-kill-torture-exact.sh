#!/bin/sh
# Programs without any code for checkpoints, killed at random moments again and again, print and write
# what stock Lua does. CKPTLUA_TEST_SEED replays one series of kills.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2086 # words
exact=1
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" != 1 ] || : "${torture_kills:=12}" # programs run slowly then
: "${torture_kills:=40}"

seed=${CKPTLUA_TEST_SEED:-$(($(date +%s%N) / 1000 % 1000000007))}
echo "seed $seed: CKPTLUA_TEST_SEED=$seed replays it"
state=$seed

# draw N: sets $drawn to a number from 0 to N - 1.
draw()
{
    state=$(((state * 1103515245 + 12345) & 2147483647))
    drawn=$(((state / 65536) % $1))
}

# A little of everything: closures that share, classes, coroutines in coroutines, protected calls,
# iterators half way, files that are read and written.
cat >mixed.lua <<'LUA'
math.randomseed(42)
local steps = tonumber(arg[1])
local out = assert(io.open("out.txt", "w"))
for i = 1, 40 do out:write("line ", i, " of ", math.random(1000), "\n") end
out:close()

local Stack = {}
Stack.__index = Stack
Stack.__len = function(s) return s.n end
Stack.__concat = function(a, b) return tostring(a) .. "&" .. tostring(b) end
Stack.__tostring = function(s) return "stack of " .. #s end
Stack.__lt = function(a, b) return #a < #b end
function Stack.new() return setmetatable({ n = 0 }, Stack) end
function Stack:push(...)
  for _, v in ipairs { ... } do
    self.n = self.n + 1
    self[self.n] = v
  end
  return self
end
function Stack:pop()
  local v <const> = self[self.n]
  self[self.n], self.n = nil, self.n - 1
  return v
end

local function counter()
  local count = 0
  return function() count = count + 1; return count end, function() return count end
end
local tick, peek = counter()

local function walk(depth, stack)
  if depth == 0 then
    coroutine.yield(stack .. "end")
    return 1
  end
  local sum = 0
  for i = 1, 2 do
    stack:push(i * depth)
    sum = sum + walk(depth - 1, stack) + i * math.random(9)
    stack:pop()
  end
  return sum
end

local function lines()
  local inner = coroutine.wrap(function()
    for line in io.lines("out.txt") do
      for word, number in line:gmatch("(%a+) (%d+)") do coroutine.yield(word .. number) end
    end
  end)
  return coroutine.wrap(function()
    for word in inner do coroutine.yield(word:upper()) end
  end)
end

local log = assert(io.open("log.txt", "a"))
local sums = setmetatable({}, { __index = function(t, k) return k < 1 and 0 or t[k - 1] + k end })
for step = 1, steps do
  local stack = Stack.new():push("a", "b"):push(step)
  local gen = coroutine.create(walk)
  local ok, text = coroutine.resume(gen, 6, stack)
  local last
  while coroutine.status(gen) ~= "dead" do
    tick()
    last = text
    ok, text = coroutine.resume(gen)
  end
  local caught = select(2, pcall(function()
    local guard <close> = setmetatable({}, { __close = function(_, e) log:write("closed ", tostring(e ~= nil), "\n") end })
    if step % 3 == 0 then error({ code = step }) end
    return { code = -step }
  end))
  local words = 0
  for word in lines() do words = words + #word end
  print(step, ok, text, last, peek(), caught.code, words, rawlen(sums), sums[step % 40], Stack.new() < stack)
  log:write(step, " ", math.random(), "\n")
  if step % 10 == 0 then
    local keys = {}
    for key in pairs({ x = 1, y = 2, z = step, [step] = true }) do keys[#keys + 1] = tostring(key) end
    table.sort(keys, function(a, b) return a > b end)
    print(table.concat(keys, " "))
    io.stdout:flush()
  end
end
log:close()
for line in io.lines("log.txt") do steps = steps + #line end
print(steps)
LUA
cp "$source/examples/queens.lua" "$source/examples/conjgrad/plain.lua" "$source/examples/conjgrad/wathen.lua" .
for program in "$source"/bench/programs/*.lua; do cp "$program" .; done
expect_exit 0 "$CKPTLUA" wathen.lua 30 30
rm wathen.lua
LUA_PATH="$source/lua/?.lua"
export LUA_PATH

# Each line: a program, with arguments by which it takes about a second.
cat >programs <<'EOF'
mixed.lua 60
queens.lua 11
plain.lua
fib.lua 35
closures.lua 2000000
methods.lua 2000000
nbody.lua 400000
sort.lua 100000
spectral.lua 300
strings.lua
EOF
files='out.txt log.txt x.mtx'
fixed='A.mtx b.mtx programs mixed.lua queens.lua plain.lua fib.lua closures.lua methods.lua nbody.lua
    sort.lua spectral.lua strings.lua'

kills=0
saved_kills=0
job=0
while [ $kills -lt "$torture_kills" ]; do
    program=$(sed -n $((job % $(wc -l <programs) + 1))p programs)
    job=$((job + 1))
    rm -rf $files by-lua
    mkdir by-lua
    lua5.4 $program >by-lua/stdout || fail "lua5.4 has failed"
    for file in $files; do [ ! -e "$file" ] || mv "$file" by-lua; done
    rm -f stdout
    runs=0
    job_kills=0
    while :; do
        runs=$((runs + 1))
        [ $runs -lt 1000 ] || fail 'it makes no progress'
        draw 3
        case $drawn in
        0) interval=10ms ;;
        1) interval=30ms ;;
        *) interval=100ms ;;
        esac
        draw 2
        save=auto
        [ "$drawn" = 0 ] || save=inline
        draw 300
        pause=$drawn
        draw 4
        signal=KILL
        [ "$drawn" != 3 ] || signal=TERM
        last="run $runs of job $job, $program: --interval $interval --save $save, SIG$signal after $pause ms"
        "$CKPTLUA" --quiet --interval $interval --save $save $program >>stdout 2>"$err" &
        pid=$!
        started=$pid
        if [ $kills -lt "$torture_kills" ] && [ $job_kills -lt 60 ]; then
            sleep "0.$(printf %03d "$pause")"
            if ! has_ended; then
                kill -s $signal "$pid" 2>/dev/null && kills=$((kills + 1)) job_kills=$((job_kills + 1))
                [ ! -e "${program%%.*}.ckpt" ] || saved_kills=$((saved_kills + 1))
            fi
        fi
        wait_for 120 has_ended
        code=0
        wait "$pid" 2>/dev/null || code=$?
        case $code in
        0) break ;;
        137 | 143) # Perhaps killed behind its good end, when the snapshot had gone: docs/limits.md.
            if [ ! -e "${program%%.*}.ckpt" ] && cmp -s by-lua/stdout stdout; then
                rm -f "${program%%.*}.ckpt.lock"
                break
            fi
            ;;
        85) ;;
        *) fail "exit code $code" ;;
        esac
    done
    expect_same by-lua/stdout stdout
    for file in $files; do
        [ ! -e "by-lua/$file" ] || expect_same "by-lua/$file" "$file"
    done
    rm -f $files
    no_leftovers $fixed by-lua stdout
done
echo "$kills kills of $job programs, $saved_kills with a snapshot there"
[ $((saved_kills * 2)) -gt "$kills" ] || fail 'too few kills have found a snapshot'
