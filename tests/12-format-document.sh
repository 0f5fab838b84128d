#!/bin/sh
# docs/format.md: the reader in Python and the hex dump are true.
# shellcheck source=tests/lib.sh
exact=1
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

# A job's own snapshot, with functions, a coroutine and an iterator in it.
cat >job.lua <<'EOF'
local t = {n = 1, f = function() return t end}
list = {t, coroutine.wrap(t.f), string.gmatch("a b", "%a"), text = "a longer text"}
setmetatable(list, list)
for i = 1, 3 do
  if i == 2 then ckpt.exit() end
end
EOF
expect_exit 85 "$CKPTLUA" job.lua
expect_exit 0 python3 "$source/tests/format_document.py" "$source/docs/format.md" job.ckpt dump.ckpt
tail -n 1 "$out" | grep -q "b'list': {1: {.*b'n': 1.*}, 2: (b'made', b'wrap', (b'thread',.*b'text': b'a longer text', 'metatable': {\.\.\.}" ||
    fail "the reader does not read the snapshot of a job"

# The bytes of the dump are a good snapshot, checksum and all.
cat >load.lua <<'EOF'
local v = ckpt.load("dump.ckpt")
assert(v.t[1] == 10 and math.type(v.t[2]) == "float" and v.t.name == "golden")
assert(v.t.self == v.t and v.again == "golden" and v.f == math.sin)
print("good")
EOF
expect_exit 0 "$CKPTLUA" load.lua
grep -qx good "$out" || fail "the dump does not load"
