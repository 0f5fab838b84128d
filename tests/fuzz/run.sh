#!/bin/sh
# Fuzzes for some seconds: run.sh FUZZER CORPUS FOLDER SECONDS [SEED]
# What does harm is left in FOLDER; `FUZZER FILE` or fuzz-replay does it again, and so does the same
# seed. What is found on the way is added to FOLDER/found, with which the next run begins.
set -eu

fuzzer=$1 corpus=$2 folder=$3 seconds=$4
seed=${5-${CKPTLUA_FUZZ_SEED-$(date +%s)}}
mkdir -p "$folder/found"
for old in "$folder"/crash-* "$folder"/oom-* "$folder"/timeout-*; do
    if [ -e "$old" ]; then
        echo "$old is of an earlier run; remove it when it is dealt with"
        exit 1
    fi
done
echo "seed $seed; with the same: CKPTLUA_FUZZ_SEED=$seed, and $folder/found as it was"
code=0
# Lua's state is given up where something in it does not end.
"$fuzzer" -seed="$seed" -max_total_time="$seconds" -max_len=32768 -timeout=30 -rss_limit_mb=2048 \
    -detect_leaks=0 -print_final_stats=1 -close_fd_mask=1 -artifact_prefix="$folder/" \
    "$folder/found" "$corpus" </dev/null >"$folder/log" 2>&1 || code=$?
if [ $code != 0 ]; then
    grep -v -E '^#[0-9]+.*(NEW|REDUCE|pulse|RELOAD)' "$folder/log" | tail -n 100
    echo "the input is in $folder"
    exit 1
fi
grep -E '^(Done|stat::|#[0-9]+.*DONE)' "$folder/log"
