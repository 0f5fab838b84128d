#!/bin/sh
# Each example resumes exactly, as ckptlua verify proves. (wathen.lua has no saves: it takes seconds.)
# CKPTLUA_TEST_SEED replays the kills.
# label: long
# shellcheck source=tests/lib.sh
. "$(dirname "$0")/lib.sh"
mkdir tmp examples
TMPDIR=$PWD/tmp
export TMPDIR
seed=${CKPTLUA_TEST_SEED:-$(($(date +%s%N) / 1000 % 1000000007))}
echo "seed $seed: CKPTLUA_TEST_SEED=$seed replays it"

# proves KILLS FOLDER SCRIPT [ARGUMENT...]
proves()
{
    kills=$1
    cp -r "$source/examples/$2/." examples
    shift 2
    cd examples
    expect_exit 0 "$CKPTLUA" verify --kills "$kills" --kill-seed "$seed" "$@"
    cat "$out"
    expect_output "$1 resumes exactly." 'state        identical ('
    cd ..
    rm -r examples
    mkdir examples
    [ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
}

proves 20 . mean.lua 300 0.01
proves 20 . pipeline.lua
proves 20 . counter.lua 100 0.03
proves 20 fibonacci fibonacci.lua 120 0.02
for script in cg.lua cgfull.lua; do
    cp "$source/examples/conjgrad/wathen.lua" examples
    (cd examples && "$CKPTLUA" wathen.lua 20 20) || fail 'no matrix'
    proves 20 conjgrad $script
done
