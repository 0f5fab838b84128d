#!/bin/sh
# Which layers of exact resume a job has: told by --verbose, the header and inspect.
# shellcheck source=tests/lib.sh
exact=1
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
for i = 1, 3 do ckpt.exit() end
LUA

kept='calls, hash seed, layout of tables'
if [ "$CKPTLUA_SANITIZED" = 0 ]; then
    more="$kept, addresses, moments of the collector" rest=nothing
else
    more=$kept rest='addresses, moments of the collector'
fi

# shown TEXT: by inspect
shown()
{
    expect_exit 0 "$CKPTLUA" inspect job.ckpt
    grep -qxF "exact      $1" "$out" || fail "no line: exact $1"
}

for _ in 1 2; do
    expect_exit 85 "$CKPTLUA" --verbose job.lua
    expect_message "kept exactly: $more; not kept: $rest"
    if [ "$rest" = nothing ]; then shown "$more"; else shown "$more; not kept: $rest"; fi
done
expect_exit 85 "$CKPTLUA" job.lua
grep -q 'kept exactly' "$err" && fail 'told without --verbose'
rm -f job.ckpt*

if [ "$CKPTLUA_SANITIZED" = 0 ]; then
    for _ in 1 2; do
        expect_exit 85 "$CKPTLUA" --verbose --deterministic=no job.lua
        expect_message "kept exactly: $kept, addresses; not kept: moments of the collector"
        shown "$kept, addresses; not kept: moments of the collector"
    done
    rm -f job.ckpt*
fi

echo 'if not done then done = true ckpt.exit() end' >job.lua
expect_exit 85 "$CKPTLUA" --verbose --resume globals job.lua
grep -q 'kept exactly' "$err" && fail 'told of globals'
expect_exit 0 "$CKPTLUA" inspect job.ckpt
grep -q '^exact' "$out" && fail 'shown of globals'
expect_exit 0 "$CKPTLUA" --resume globals job.lua
