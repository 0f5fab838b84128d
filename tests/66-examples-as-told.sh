#!/bin/sh
# The examples print what their first lines tell.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"
cp "$source"/examples/*.lua .

# told SCRIPT: the lines that it is to print, which stand behind "Expect ...:" in its first comment.
told()
{
    awk '!/^--/ { exit } expected && sub(/^--     /, "") { print } /Expect.*:$/ { expected = 1 }' "$1" >told
    [ -s told ] || fail "$1 tells nothing"
}

# prints SCRIPT [--OPTION...] [ARGUMENT...]: just what it tells; its pauses are left out.
prints()
{
    script=$1
    shift
    told "$script"
    sed -i 's/ckpt\.sleep([a-z0-9.]*)//' "$script"
    expect_exit 0 "$CKPTLUA" "$@"
    expect_same told "$out"
    expect_silence
}

prints counter.lua counter.lua 3
prints mean.lua --seed 1 mean.lua
prints pi.lua --seed 1 pi.lua
prints queens.lua queens.lua 6
prints pipeline.lua --seed 1 --resume globals pipeline.lua

# A step again, from its mark, with an edit.
sed -i 's/^width = 25/width = 50/' pipeline.lua
expect_exit 0 "$CKPTLUA" --from sampled pipeline.lua
expect_output 'smoothed   over 50 values'
[ "$(wc -l <"$out")" = 2 ] || fail 'it has sampled again'

# In pieces.
for code in 77 77 77 0; do
    expect_exit $code "$CKPTLUA" --quiet ten.lua
    tr '\n' ' ' <"$out" >>pieces
    echo $code >>pieces
done
printf '%s\n' '1 2 3 77' '4 5 6 77' '7 8 9 77' '10 0' >expected
expect_same pieces expected

# Wrong arguments are told, with the script's own name.
for script in counter.lua mean.lua pi.lua queens.lua; do
    expect_exit 1 "$CKPTLUA" "$script" x
    expect_message "usage: $script ["
done
for script in fibonacci globals; do
    expect_exit 1 "$CKPTLUA" "$source/examples/fibonacci/$script.lua" x
    expect_message "usage: $script.lua ["
done
