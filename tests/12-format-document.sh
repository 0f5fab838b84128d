#!/bin/sh
# docs/format.md: the reader in Python and the hex dump are true.
. "$(dirname "$0")/lib.sh"

cat >save.lua <<'EOF'
list = {1, 2.5, "three", {deep = true}}
ckpt.save("values.ckpt", {list = list, same = list, text = "a longer text", bytes = "\xFF\0", f = math.sin})
EOF
expect_exit 0 "$CKPTLUA" save.lua
expect_exit 0 python3 "$source/tests/format_document.py" "$source/docs/format.md" values.ckpt dump.ckpt
cat >expected <<'EOF'
1 {b'f': (b'name', b'math.sin'), b't': {1: 10, 2: 2.5, b'name': b'golden', b'self': {...}}, b'again': b'golden'}
EOF
head -n 1 "$out" >first
expect_same first expected
tail -n 1 "$out" | grep -q "b'same': {1: 1, 2: 2.5, 3: b'three', 4: {b'deep': True}}" ||
    fail "the reader does not see the table that two variables share"

# The bytes of the dump are a good snapshot, checksum and all.
cat >load.lua <<'EOF'
local v = ckpt.load("dump.ckpt")
assert(v.t[1] == 10 and math.type(v.t[2]) == "float" and v.t.name == "golden")
assert(v.t.self == v.t and v.again == "golden" and v.f == math.sin)
print("good")
EOF
expect_exit 0 "$CKPTLUA" load.lua
grep -qx good "$out" || fail "the dump does not load"
