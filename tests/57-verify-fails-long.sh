#!/bin/sh
# ckptlua verify of jobs that do not resume, and show it where nothing is printed.
# label: long
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir tmp
TMPDIR=$PWD/tmp
export TMPDIR

# cheats NAME: the script on stdin does not pass.
cheats()
{
    cat >"$1.lua"
    expect_exit 1 "$CKPTLUA" verify --kills 4 "$1.lua"
    expect_silence
    expect_output "Both runs are kept in $PWD/tmp/"
    ls tmp/*/killed/stdout >/dev/null || fail 'they are not'
    rm -r tmp/*
}

# What nobody prints: a variable deep in the state, the next random number, an exit code.
cheats state <<'LUA'
i = i or 0
deep = deep or { { x = { 1, 2, ckpt.resumed } } }
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
deep[1].x[3] = ckpt.resumed
LUA
expect_output 'stdout       identical (0 lines)' 'state        DIFFERS at deep[1].x[3]' \
    '    undisturbed: 0' '    with kills : '
cheats random <<'LUA'
i = i or 0
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
for _ = 1, ckpt.resumed do math.random() end
LUA
expect_output 'state        DIFFERS at math.random'
cheats code <<'LUA'
i = i or 0
while i < 20 do
  i = i + 1
  ckpt.sleep(0.01)
  checkpoint()
end
if ckpt.resumed > 0 then error("not again", 0) end
LUA
expect_output 'exit code    DIFFERS 0 undisturbed, 1 with kills' '    ckptlua: not again'

# stdin is the file for each of the two runs, from its beginning.
cat >input.lua <<'LUA'
sum = sum or 0
for line in io.lines() do
  sum = sum + line
  ckpt.sleep(0.01)
  checkpoint()
end
print(sum)
LUA
seq 1 30 >numbers
expect_exit 0 sh -c '"$1" verify --kills 4 --keep input.lua <numbers' sh "$CKPTLUA"
[ "$(cat tmp/*/killed/stdout)" = 465 ] || fail 'it has read something else'
rm -r tmp/*

# Nothing is proven where no save has come.
cat >nosafe.lua <<'LUA'
for i = 1, 20 do ckpt.sleep(0.02) end
LUA
expect_exit 1 "$CKPTLUA" verify --resume globals --kills 4 nosafe.lua
expect_output 'nosafe.lua is not proven to resume: 0 of 4 kills found a snapshot; no safe point came in time'
rm -r tmp/*

expect_exit 1 "$CKPTLUA" verify --interval never --kills 1 state.lua
expect_output 'it is saved too seldom (--interval never)'
rm -r tmp/*

# It ends undisturbed, but not with kills.
echo 'if ckpt.resumed > 0 then while true do ckpt.sleep(1) end end for i = 1, 20 do ckpt.sleep(0.01) checkpoint() end' \
    >later.lua
expect_exit 1 "$CKPTLUA" verify --timeout 1500ms --kills 2 later.lua
expect_message 'ckptlua: later.lua has not ended after 1500ms'
[ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
