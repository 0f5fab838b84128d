#!/bin/sh
# ckptlua export: what other programs read out of OUT, and that OUT is never half written.
# shellcheck source=tests/lib.sh
# shellcheck disable=SC2016 # sh -c has parameters of its own
. "$(dirname "$0")/lib.sh"

cat >job.lua <<'LUA'
ints = { 0, 127, 128, 65536, math.maxinteger, -1, -33, -129, -32769, math.mininteger }
floats = { 0.1, -0.0, 3.0, 1 / 3, 5e-324, 1e300, 1 / 0, -1 / 0, 0 / 0 }
text, bytes = "h\u{e4}\n\"\\\1", "\xff\0ab"
empty, list, mixed = {}, { 1, { 2, { 3 } } }, { 1, 2, x = "y", [2.5] = true, [false] = 4 }
shared = { list, list }
yes, no = true, false
function f() end
tools = { f = f }
chain = {}
local last = chain
for i = 1, 100000 do last.next = {}; last = last.next end
checkpoint(true)
ckpt.exit(9)
LUA
expect_exit 9 "$CKPTLUA" --interval never job.lua

expect_exit 0 "$CKPTLUA" export job.ckpt out.json
expect_silence
expect_exit 0 "$CKPTLUA" export job.ckpt out.msgpack
expect_silence
[ ! -s "$out" ] || fail 'there is something on stdout'
no_leftovers job.lua job.ckpt job.ckpt.1 job.ckpt.lock out.json out.msgpack
[ "$(stat -c %a out.json)" = "$(printf '%o' $((0666 & ~$(umask))))" ] || fail 'other mode than usual'

[ "$(tr -cd '{' <out.json | wc -c)" = "$(tr -cd '}' <out.json | wc -c)" ] || fail 'braces do not match'
[ "$(grep -o '"next":' out.json | wc -l)" = 100000 ] || fail 'the chain is not complete'

# The chain is deeper than readers go: once more without it for them.
sed -i 's/100000/10/' job.lua
rm job.ckpt*
expect_exit 9 "$CKPTLUA" --interval never job.lua
expect_exit 0 "$CKPTLUA" export job.ckpt out.json
expect_exit 0 "$CKPTLUA" export job.ckpt out.msgpack
cat >check.py <<'PYTHON'
import json, math
try:
    import msgpack
except ImportError:
    msgpack = None
def check(v, infinities, data, mixed):
    assert v["ints"] == [0, 127, 128, 65536, 2**63 - 1, -1, -33, -129, -32769, -2**63], v["ints"]
    assert all(type(i) is int for i in v["ints"])
    f = v["floats"]
    assert f[:6] == [0.1, 0.0, 3.0, 1 / 3, 5e-324, 1e300] and all(type(x) is float for x in f[:6]), f
    assert math.copysign(1, f[1]) == -1 and [str(x) for x in f[6:]] == infinities, f
    assert v["text"] == "h\u00e4\n\"\\\1" and v["bytes"] == data, (v["text"], v["bytes"])
    assert v["empty"] == [] and v["list"] == [1, [2, [3]]] and v["mixed"] == mixed, v
    assert v["shared"] == [v["list"], v["list"]] and v["yes"] is True and v["no"] is False, v
    assert "function" in v["tools"]["f"] and list(v) == sorted(v), list(v)
check(json.load(open("out.json", encoding="utf-8")), ["Infinity", "-Infinity", "NaN"],
      {"base64": "/wBhYg=="}, {"1": 1, "2": 2, "2.5": True, "x": "y", "false": 4})
if msgpack:
    packed = open("out.msgpack", "rb").read()
    v = msgpack.unpackb(packed, strict_map_key=False)
    check(v, ["inf", "-inf", "nan"], b"\xff\0ab", {1: 1, 2: 2, 2.5: True, "x": "y", False: 4})
    assert len(packed) == len(msgpack.packb(v)), "not the shortest form"
PYTHON
# The distribution's python3 has the msgpack module, another one that comes first may not.
python=$(command -v /usr/bin/python3 || command -v python3) || skip 'no python3'
expect_exit 0 "$python" check.py

# An OUT that exists is replaced as a whole; a link stays a link; permissions stay.
echo old >keep.json
chmod 640 keep.json
ln -s keep.json link.json
expect_exit 0 "$CKPTLUA" export job.ckpt link.json
expect_same keep.json out.json
[ -L link.json ] || fail 'the link was replaced'
[ "$(stat -c %a keep.json)" = 640 ] || fail 'the mode has changed'
rm link.json keep.json

# refused CODE MESSAGE FILE OUT: an OUT that was there is as before, else there is none.
refused()
{
    ls -A >"$scratch/before"
    expect_exit "$1" "$CKPTLUA" export "$3" "$4"
    expect_message "ckptlua: $2"
    [ "$(wc -l <"$err")" -eq 1 ] || fail 'not one line on stderr'
    ls -A >"$scratch/after"
    expect_same "$scratch/before" "$scratch/after"
}
refused 2 'o.txt: cannot tell the format; end the name in .json or .msgpack' job.ckpt o.txt
refused 2 '-: cannot tell the format' job.ckpt -
refused 2 'o.mat: export to .mat: not in this version' job.ckpt o.mat
expect_exit 2 "$CKPTLUA" export job.ckpt
expect_message 'ckptlua: export needs a snapshot and an output; usage: ckptlua export FILE OUT'
expect_exit 2 "$CKPTLUA" export job.ckpt a.json b.json
expect_exit 2 "$CKPTLUA" export --json job.ckpt a.json
cp job.ckpt snap.json
refused 2 './snap.json is the snapshot itself' snap.json ./snap.json
expect_same snap.json job.ckpt
refused 3 missing missing.ckpt o.json
refused 3 check.py check.py o.json
mkdir folder.json
refused 1 'cannot write folder.json: it is a directory' job.ckpt folder.json
refused 1 'cannot write nowhere/o.json: No such file or directory' job.ckpt nowhere/o.json
mkfifo pipe.json
refused 1 'cannot write pipe.json: it is not a regular file' job.ckpt pipe.json

# What a format cannot hold is named by its path.
# cannot MESSAGE SCRIPT OUT
cannot()
{
    printf '%s\nckpt.save("bad.ckpt", variables)\n' "$2" >save.lua
    expect_exit 0 "$CKPTLUA" save.lua
    echo precious >"$3"
    refused 1 "$1" bad.ckpt "$3"
    [ "$(cat "$3")" = precious ] || fail "$3 has changed"
}
cycle='variables = { s = { t = { 1 } } }; variables.s.t[2] = variables.s'
cannot 's.t[2]: it is s again' "$cycle" o.json
cannot 's.t[2]: it is s again' "$cycle" o.msgpack
cannot 't: the keys [1] and ["1"] of one table' 'variables = { t = { [1] = 1, ["1"] = 2, x = 3 } }' o.json
expect_exit 0 "$CKPTLUA" export bad.ckpt o.msgpack
cannot 't.u: a table as a key' 'variables = { t = { u = { [{}] = 1 } } }' o.json
cannot 't.u: a table as a key' 'variables = { t = { u = { [{}] = 1 } } }' o.msgpack
cannot 't: a key that is not UTF-8 text' 'variables = { t = { ["\xff"] = 1 } }' o.json

# A disk that is full: the limit on file sizes stands for it.
echo 'variables = { s = ("x"):rep(200000) }; ckpt.save("big.ckpt", variables)' >save.lua
expect_exit 0 "$CKPTLUA" save.lua
for ending in json msgpack; do
    echo precious >full.$ending
    expect_exit 1 sh -c 'trap "" XFSZ; ulimit -f 8; exec "$1" export big.ckpt "$2"' sh "$CKPTLUA" full.$ending
    expect_message "ckptlua: cannot write full.$ending: File too large"
    [ "$(cat full.$ending)" = precious ] || fail "full.$ending has changed"
done

# Each system call that writes OUT fails once, also where a file cannot be made without a name.
# Leaks cannot be looked for under strace.
if [ "${CKPTLUA_SANITIZED:-0}" != 1 ] && strace -o /dev/null true 2>/dev/null; then
    echo 'ckpt.save("small.ckpt", { k = 1 })' >save.lua
    expect_exit 0 "$CKPTLUA" save.lua
    strace -o "$scratch/calls" -e trace=openat "$CKPTLUA" export small.ckpt o.json
    unnamed=$(grep -n O_TMPFILE "$scratch/calls" | cut -d: -f1)
    # faulty CODE INJECTION...
    faulty()
    {
        code=$1
        shift
        echo precious >o.json
        ls -A >"$scratch/before"
        expect_exit "$code" strace -o "$scratch/calls" -f "$@" "$CKPTLUA" export small.ckpt o.json
        ls -A >"$scratch/after"
        expect_same "$scratch/before" "$scratch/after"
        [ "$code" = 0 ] || [ "$(cat o.json)" = precious ] || fail 'o.json has changed'
        [ "$code" != 0 ] || grep -q '"k":1' o.json || fail 'o.json has not changed'
    }
    for call in write fsync linkat rename; do
        faulty 1 -e trace=$call -e inject=$call:error=EIO:when=1
        expect_message 'ckptlua: cannot write o.json: Input/output error'
    done
    named=inject=openat:error=EOPNOTSUPP:when=$unnamed
    faulty 0 -e trace=openat -e "$named"
    for call in write fsync rename; do
        faulty 1 -e trace=openat,$call -e "$named" -e inject=$call:error=EIO:when=1
    done
fi

rm -f ./*.ckpt* save.lua job.lua check.py
no_leftovers out.json out.msgpack folder.json pipe.json snap.json o.json o.msgpack full.json full.msgpack
