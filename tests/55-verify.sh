#!/bin/sh
# ckptlua verify of jobs that resume: the table, the options, what it leaves alone.
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR

# scratch_is_gone: and nothing else is there either.
scratch_is_gone()
{
    [ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
}

# Twenty kinds of things in one job: numbers, files in several ways, input, a workspace.
cat >job.lua <<'LUA'
n = n or 0
if n == 0 then
  assert(io.open("out/result.txt", "w")):close()
  list = {}
end
first = first or assert(io.open("input.txt")):read("n")
while n < 30 do
  n = n + 1
  list[n] = { x = math.random(), before = list[n - 1], nan = 0 / 0, zero = -0.0 }
  list[list[n]] = n
  print(n, list[n].x)
  local log = assert(io.open("log.txt", "a"))
  assert(log:write(n + first, "\n"))
  log:close()
  ckpt.sleep(0.01)
  checkpoint()
end
assert(io.open("out/result.txt", "w")):write(list[n].x, "\n"):close()
ckpt.save("values.ckpt", { list = list })
LUA
echo 100 >input.txt
echo 'from before' >log.txt
echo 'the user has this one' >job.ckpt
mkdir -m 750 out
ln -s input.txt link
chmod 640 input.txt
find . -not -path './tmp*' -printf '%p %m %s %T@ %l\n' | sort >"$scratch/before"

expect_exit 0 "$CKPTLUA" verify --kills 6 --kill-seed 1 job.lua 'an argument'
expect_silence
grep -Eqx 'undisturbed   .*s, 30 lines on stdout, 3 files written' "$out" || fail 'another first line'
grep -Eq '\([2-3] SIGKILL, [2-3] SIGTERM\), seed 1; ' "$out" || fail 'other kills' # the job may be over before the last
for line in 'stdout +identical \(30 lines\)' 'exit code +identical \(0\)' \
    'log.txt +identical \([0-9]+ bytes\)' 'out/result.txt +identical \([0-9]+ bytes\)' \
    'values.ckpt +identical \(values of a snapshot\)' \
    'state +identical \(3 variables\)'; do
    grep -Eqx "  $line" "$out" || fail "no line: $line"
done
grep -Eqx 'work lost per SIGKILL .*s, saving .* %, restart .*s' "$out" || fail 'no costs'
[ "$(tail -n 1 "$out")" = 'job.lua resumes exactly.' ] || fail 'another verdict'
scratch_is_gone
find . -not -path './tmp*' -printf '%p %m %s %T@ %l\n' | sort >"$scratch/after"
expect_same "$scratch/before" "$scratch/after"

# Kept when asked for, permissions and links and all; one seed for both runs.
expect_exit 0 "$CKPTLUA" verify --keep --kills 2 --seed 7 --interval 20ms --save inline job.lua
kept=$(echo tmp/*)
expect_output "Both runs are kept in $PWD/$kept"
for run in undisturbed killed; do
    [ "$(stat -c %a "$kept/$run/work/input.txt" "$kept/$run/work/out" | xargs)" = '640 750' ] ||
        fail 'other permissions'
    [ "$(readlink "$kept/$run/work/link")" = input.txt ] || fail 'the link is none any more'
    header "$kept/$run/job.ckpt" 'seed 7' 'the job has ended with exit code 0'
done
expect_same "$kept/undisturbed/stdout" "$kept/killed/stdout"
rm -r "$kept"

# Links that lead out are copied, wherever they lead; the job writes through none of them.
mkdir linked
cat >linked/job.lua <<'LUA'
i = i or 0
if i == 0 then assert(io.open("outside.txt", "a")):write("not here\n"):close() end
while i < 30 do
  i = i + 1
  ckpt.sleep(0.005)
  checkpoint()
end
print(assert(io.open("folder/input.txt")):read("a"))
LUA
echo 'outside' >outside.txt
cd linked
ln -s ../outside.txt outside.txt
mkdir inner
cp ../input.txt inner
ln -s "$PWD/inner" folder
ln -s .. above
ln -s . self
ln -s nowhere dangling
expect_exit 0 "$CKPTLUA" verify --keep --kills 2 job.lua
expect_output 'outside.txt  identical (17 bytes)'
cd ..
[ "$(cat outside.txt)" = outside ] || fail 'it wrote through a link'
kept=$(echo tmp/*)
[ ! -e "$kept/killed/work/above" ] || fail 'a folder above was copied'
[ "$(readlink "$kept/killed/work/self")" = . ] || fail 'a link within the folder is kept'
[ "$(readlink "$kept/killed/work/dangling")" = nowhere ] || fail 'so is one to nothing'
rm -r "$kept" linked outside.txt

# Chosen inputs, and more in the folder than is copied.
truncate -s 1100M large.bin
expect_exit 2 "$CKPTLUA" verify --kills 2 job.lua
expect_message 'ckptlua: the current folder holds more than 1.0 GB' '--input FILE'
expect_exit 0 "$CKPTLUA" verify --keep --kills 2 --input input.txt --input out job.lua
kept=$(echo tmp/*)
[ ! -e "$kept/killed/work/large.bin" ] || fail 'more was copied than the inputs'
rm -r "$kept" large.bin

# A job of pieces, with an exit code of its own; one that ends otherwise; a script elsewhere.
mkdir elsewhere
cp "$source/examples/ten.lua" elsewhere
sed -i 's/print(i)/print(i) ckpt.sleep(0.03)/' elsewhere/ten.lua
cd elsewhere
mkdir here
cd here
expect_exit 0 "$CKPTLUA" verify --kills 4 --resume exact ../ten.lua
expect_output 'stdout       identical (10 lines)'
cd ../..
rm -r elsewhere
echo 'i = i or 0 while i < 20 do i = i + 1 ckpt.sleep(0.04) checkpoint() end os.exit(7)' >seven.lua
expect_exit 0 "$CKPTLUA" verify --kills 2 seven.lua
expect_output 'exit code    identical (7)' 'state        not compared: '
echo 'i = i or 0 while i < 20 do i = i + 1 ckpt.sleep(0.04) checkpoint() end c = coroutine.create(print)' >co.lua
expect_exit 0 "$CKPTLUA" verify --kills 2 --resume globals co.lua
expect_output 'exit code    identical (0)' 'state        not compared: the last one cannot be saved: '
scratch_is_gone

# Wrong use.
wrong()
{
    message=$1
    shift
    expect_exit 2 "$CKPTLUA" verify "$@"
    expect_message "ckptlua: $message"
    [ ! -s "$out" ] || fail 'there is something on stdout'
    scratch_is_gone
}
wrong 'verify needs a script; usage: ckptlua verify [options] job.lua [arg ...]'
wrong 'jbo.lua: no such file' jbo.lua
wrong "--kills: '0' is not a number from 1 on" --kills 0 job.lua
wrong "--kill-seed: 'x' is not a number" --kill-seed x job.lua
wrong "--timeout: '5x' is not a duration" --timeout 5x job.lua
wrong "--interval: '5x' is not a duration" --interval 5x job.lua
wrong 'unknown option --kill; did you mean --kills or --kill-seed?' --kill 5 job.lua
wrong '--fresh: verify decides that itself' --fresh job.lua
wrong '--input none.txt: no such file' --input none.txt job.lua
wrong '--input /dev/null: it is not below the current folder' --input /dev/null job.lua
echo 'print(' >syntax.lua
wrong 'syntax.lua:' syntax.lua
expect_exit 1 "$CKPTLUA" verify --timeout 300ms seven.lua
expect_exit 0 "$CKPTLUA" verify --help
expect_output '--kills N' '--timeout D'
