#!/bin/sh
# Each example resumes exactly, as ckptlua verify proves; ordinary programs among them print what stock
# Lua prints. (wathen.lua takes seconds.) CKPTLUA_TEST_SEED replays the kills.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"
[ "${CKPTLUA_SANITIZED:-0}" != 1 ] || skip 'it takes long, and 55-verify does the same with sanitizers'
mkdir tmp examples
TMPDIR=$PWD/tmp
export TMPDIR
seed=${CKPTLUA_TEST_SEED:-$(($(date +%s%N) / 1000 % 1000000007))}
echo "seed $seed: CKPTLUA_TEST_SEED=$seed replays it"

verify_kills=${verify_kills:-4}

# Where too few kills have met a snapshot, in a short job, nothing is said against it: once more then.
verify()
{
    for more in 1 2 3; do
        code=0
        "$CKPTLUA" verify --kills "$verify_kills" --kill-seed "$((seed + more))" "$@" >"$out" 2>"$err" ||
            code=$?
        grep -q ' is not proven to resume: .* kills found a snapshot' "$out" || break
        cat "$out"
        rm -rf "$TMPDIR"
        mkdir "$TMPDIR"
    done
    last="$CKPTLUA verify --kills $verify_kills --kill-seed $((seed + more)) $*"
    [ $code = 0 ] || fail "exit code $code, not 0"
}

# proves FOLDER [--OPTION VALUE] SCRIPT [ARGUMENT...]
proves()
{
    cp -r "$source/examples/$1/." examples
    shift
    cd examples
    verify "$@"
    cat "$out"
    case $1 in --*) shift 2 ;; esac
    expect_output "$1 resumes exactly." 'state        identical ('
    cd ..
    rm -r examples
    mkdir examples
    [ -z "$(ls -A tmp)" ] || fail "left behind: $(ls -A tmp)"
}

# as_lua FILE SCRIPT [ARGUMENT...]: the script, and FILE that it writes, or none (-)
as_lua()
{
    file=$1
    shift
    expect_exit 0 env LUA_PATH="$source/lua/?.lua" lua5.4 "$@"
    cp "$out" by-lua
    [ "$file" = - ] || mv "$file" file-by-lua
    expect_exit 0 "$CKPTLUA" "$@"
    expect_same "$out" by-lua
    [ "$file" = - ] || expect_same "$file" file-by-lua
}

as_lua - "$source/examples/queens.lua" 7
as_lua - "$source/examples/fibonacci/fibonacci.lua" 1500 0
expect_exit 0 "$CKPTLUA" "$source/examples/conjgrad/wathen.lua" 12 12
as_lua x.mtx "$source/examples/conjgrad/plain.lua"
cp x.mtx plain.mtx
for script in cg.lua cgfull.lua; do
    expect_exit 0 "$CKPTLUA" "$source/examples/conjgrad/$script"
    expect_same x.mtx plain.mtx
done

proves . mean.lua 100 0.01
proves . counter.lua 50 0.03
proves . ten.lua
proves . queens.lua 11
proves . pi.lua 10000000
proves . --resume globals pipeline.lua
proves fibonacci fibonacci.lua 120 0.01
proves fibonacci --resume globals globals.lua 120 0.01
for script in plain.lua cg.lua cgfull.lua '--resume globals cg.lua' '--resume globals cgfull.lua'; do
    cp "$source/examples/conjgrad/wathen.lua" examples
    (cd examples && "$CKPTLUA" wathen.lua 20 20) || fail 'no matrix'
    # shellcheck disable=SC2086 # words
    proves conjgrad $script
done
