#!/bin/sh
# ckptlua inspect: a snapshot of a real job, its variables by name, bad files.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # sh -c has parameters of its own
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
if ckpt.resumed == 0 then
  no_of_terms, x = 31, { 0, 1 }
  for i = 3, 31 do x[i] = x[i - 1] + x[i - 2] end
  state = { x = { 1.5, { deep = "yes" } }, ["odd name"] = 1 / 3 }
  state.self = state
  big, small, whole = math.maxinteger, 5e-324, 3.0
  title = "Fibonacci\n\27[31m"
  bytes = "\xff\0"
  flag = false
end
function fib() end
tools = { fib = fib, print = print }
ckpt.progress(31, 100, "terms")
checkpoint(true)
ckpt.exit(9)
LUA
expect_exit 9 "$CKPTLUA" --seed 42 --interval never job.lua 'a b' 7
expect_file job.ckpt

# All of it.
expect_exit 0 "$CKPTLUA" inspect job.ckpt
expect_silence
size=$(wc -c <job.ckpt)
expect_output 'job.ckpt   ckptlua ' ' snapshot, format 1, ' ', checksum good, generation 2' \
    ', Lua 5.4.' 'script     job.lua (hash ' 'arguments: "a b" 7, seed 42' 'saved      ' ' UTC on ' \
    ', because ' 'work       ' 'spent saving, 2 saves, 1 run' 'runs       1  ' \
    'progress   31 of 100, terms' 'globals    big          integer  9223372036854775807' \
    'no_of_terms  integer  31' 'x            table    31 elements' 'whole        float    3.0' \
    'small        float    5e-324' 'state        table    3 fields' \
    'title        string   15 bytes  "Fibonacci\n\x1B[31m"' 'flag         boolean  false'
grep -q "$(printf '\033')" "$out" && fail 'an escape sequence came through'
[ "$size" -lt 1000 ] || expect_output ' KB, checksum'
# Sorted, each once, and nothing but the job's own.
sed -n '/^globals/,$s/^.\{11\}\([a-z_]*\).*/\1/p' "$out" >names
printf '%s\n' big bytes flag no_of_terms small state title tools whole x >expected
expect_same expected names

# Values by name.
expect_exit 0 "$CKPTLUA" inspect job.ckpt no_of_terms x state whole small big flag title bytes
cat >expected <<'TEXT'
no_of_terms = 31
x = { 0, 1, 1, 2, 3, 5, 8, 13, ... (31 elements) }
state = {
    ["odd name"] = 0.3333333333333333,
    self = <cycle to state>,
    x = { 1.5, { deep = "yes" } }
}
whole = 3.0
small = 5e-324
big = 9223372036854775807
flag = false
title = "Fibonacci\n\x1B[31m"
bytes = "\xFF\x00"
TEXT
expect_same expected "$out"
expect_exit 0 "$CKPTLUA" inspect job.ckpt 'x[31]' state.x 'state.self.x[2].deep' 'state["odd name"]'
cat >expected <<'TEXT'
x[31] = 832040
state.x = { 1.5, { deep = "yes" } }
state.self.x[2].deep = "yes"
state["odd name"] = 0.3333333333333333
TEXT
expect_same expected "$out"
expect_exit 0 "$CKPTLUA" inspect job.ckpt tools tools.fib
grep -Eqx 'tools = \{ fib = <function .*fib.*>, print = <function .*print.*> \}' "$out" ||
    fail 'functions in a table are shown otherwise'
grep -Eqx 'tools.fib = <function .*fib.*>' "$out" || fail 'a function is shown otherwise'

# refused CODE MESSAGE ARGUMENT...: nothing on stdout.
refused()
{
    code=$1
    message=$2
    shift 2
    expect_exit "$code" "$CKPTLUA" inspect "$@"
    [ ! -s "$out" ] || fail 'there is something on stdout'
    expect_message "ckptlua: $message"
    [ "$(wc -l <"$err")" -eq 1 ] || fail 'not one line on stderr'
}
refused 1 'nix: no such variable in job.ckpt; it has big, bytes, ' job.ckpt x nix
refused 1 'x[32]: not in x, which is a table (31 elements)' job.ckpt 'x[32]'
refused 1 'big.y: big is no table but integer 9223372036854775807' job.ckpt big.y
refused 2 'x[: cannot read this as a variable' job.ckpt 'x['

# JSON.
expect_exit 0 "$CKPTLUA" inspect --json job.ckpt
cp "$out" all.json
expect_exit 0 "$CKPTLUA" inspect --json job.ckpt 'x[31]' flag
cp "$out" two.json
if command -v python3 >/dev/null; then
    expect_exit 0 python3 - <<'PYTHON'
import json
all = json.load(open("all.json"))
assert sorted(all) == ["header", "variables"], all.keys()
head, variables = all["header"], all["variables"]
assert head["arguments"] == ["a b", "7"] and head["seed"] == 42 and head["generation"] == 2, head
assert head["kind"] == "job" and head["ckptlua"] == 1 and head["script"]["name"] == "job.lua", head
assert head["progress"] == {"done": 31, "total": 100, "text": "terms"}, head
assert isinstance(head["runs"], list) and len(head["runs"]) == 1, head
assert abs(head["saved"] - __import__("time").time()) < 3600, head
assert variables["x"][30] == 832040 and variables["big"] == 2**63 - 1, variables
assert variables["small"] == 5e-324 and isinstance(variables["whole"], float), variables
assert variables["state"]["self"] == "cycle to state", variables
assert variables["bytes"] == {"base64": "/wA="}, variables
assert json.load(open("two.json"))["variables"] == {"x[31]": 832040, "flag": False}
PYTHON
fi

# A workspace of ckpt.save.
echo 'ckpt.save("w.ckpt", { k = 1, t = {} })' >save.lua
expect_exit 0 "$CKPTLUA" save.lua
expect_exit 0 "$CKPTLUA" inspect w.ckpt
expect_output 'w.ckpt     ckptlua ' ' workspace, format 1, ' 'saved      ' 'variables  k  integer  1'
echo 'ckpt.save("empty.ckpt", {})' >save.lua
expect_exit 0 "$CKPTLUA" save.lua
expect_exit 0 "$CKPTLUA" inspect empty.ckpt
expect_output 'variables  none'
expect_exit 0 "$CKPTLUA" inspect --json empty.ckpt
expect_output '"variables":{}'

# Bad files: 3, and the file as it was.
refused 3 'missing.ckpt: no such file' missing.ckpt
mkdir folder
refused 3 'folder is a directory' folder
echo 'hello, this is a text file and nothing else' >text
refused 3 'text is not a ckptlua snapshot' text
: >empty
refused 3 'empty' empty
head -c $((size - 1)) job.ckpt >short.ckpt
refused 3 'short.ckpt is damaged' short.ckpt x
{ head -c 100 job.ckpt; printf '\377'; tail -c +102 job.ckpt; } >flipped.ckpt
refused 3 'flipped.ckpt is damaged' flipped.ckpt
# A later format may end otherwise, too.
{ head -c 12 job.ckpt; printf '\0\0\0\143'; tail -c +17 job.ckpt | head -c 500; } >later.ckpt
refused 3 'later.ckpt was written by a later ckptlua (format 99' later.ckpt
expect_no_file short.ckpt.bad flipped.ckpt.bad later.ckpt.bad
if [ "$(id -u)" != 0 ]; then
    cp job.ckpt locked.ckpt
    chmod 0 locked.ckpt
    refused 3 'locked.ckpt' locked.ckpt
fi

# Memory that does not suffice is no fault of the file: 1, here and in export and in a job.
if [ "${CKPTLUA_SANITIZED:-0}" = 0 ]; then
    cat >large.lua <<'LUA'
t = t or {}
for i = #t + 1, 200000 do t[i] = { i, "element " .. i } end
ckpt.exit(9)
LUA
    expect_exit 9 "$CKPTLUA" --interval never large.lua
    cp large.ckpt kept.ckpt
    for memory in 6000 20000; do
        expect_exit 1 sh -c 'ulimit -v "$2" && exec "$1" inspect large.ckpt' sh "$CKPTLUA" "$memory"
        expect_message 'ckptlua: large.ckpt: not enough memory to read it'
        expect_exit 1 sh -c 'ulimit -v "$2" && exec "$1" export large.ckpt large.json' sh "$CKPTLUA" "$memory"
        expect_message 'ckptlua: large.ckpt: not enough memory to read it'
        expect_no_file large.json
        expect_exit 1 sh -c 'ulimit -v "$2" && exec "$1" large.lua' sh "$CKPTLUA" "$memory"
        expect_message 'not enough memory'
        expect_same kept.ckpt large.ckpt
    done
fi

# Wrong use.
refused 2 'inspect needs a snapshot; usage: ckptlua inspect [--json] FILE [NAME ...]'
refused 2 'unknown option --jsn; did you mean --json?' --jsn job.ckpt
refused 2 '--json takes no value' --json=1 job.ckpt
refused 2 'unknown option --interval; see ckptlua --help' --interval 5 job.ckpt
expect_exit 0 "$CKPTLUA" inspect --help
expect_output 'Usage: ckptlua inspect [--json] FILE [NAME ...]'
expect_exit 1 sh -c '"$1" inspect job.ckpt >/dev/full' sh "$CKPTLUA"
expect_message 'ckptlua: cannot write to standard output'
