-- Files for num.load that have been damaged at random: each gives a matrix or an error with the
-- file's name, never more. What sanitizers watch. Prints its seed; CKPTLUA_TEST_SEED repeats a run,
-- arg[1] is the number of files.

local num = require("num")

local seed = tonumber(os.getenv("CKPTLUA_TEST_SEED") or os.time())
math.randomseed(seed)
print("seed " .. seed)

local numbers = { "0", "-1", "1", "2", "99999999999", "1e999", "nan", "0x10", "2147483648",
  "9223372036854775808", "-9223372036854775808", "%", "", " ", "\n", "\0", "(", ")", ",", "'" }

local seeds = {
  [".mtx"] = {
    "%%MatrixMarket matrix coordinate real general\n% c\n3 4 3\n1 1 1.5\n3 4 -2\n2 2 1e3\n",
    "%%MatrixMarket matrix coordinate pattern symmetric\n3 3 2\n2 1\n3 3\n",
    "%%MatrixMarket matrix coordinate integer skew-symmetric\n3 3 2\n2 1 4\n3 1 5\n",
    "%%MatrixMarket matrix array real symmetric\n2 2\n1\n2\n3\n",
    "%%MatrixMarket matrix array integer general\n2 3\n1\n2\n3\n4\n5\n6\n",
  },
  [".npy"] = {
    "\x93NUMPY\1\0\x36\0{'descr': '<f8', 'fortran_order': False, 'shape': (2,)}" ..
      string.pack("<dd", 1, 2),
    "\x93NUMPY\2\0\x38\0\0\0{'descr': '>i2', 'fortran_order': False, 'shape': (2, 3)}" ..
      ("ab"):rep(6),
    "\x93NUMPY\3\0\x35\0\0\0{'descr': '|b1', 'fortran_order': True, 'shape': (3,)}" .. "\0\1\0",
  },
}

-- One change: a byte, a part that is left out, doubled, or replaced by something odd.
local function damage(text)
  local at, kind = math.random(0, #text), math.random(5)
  local size = math.random(0, 1 << math.random(0, 6))
  local before, behind = text:sub(1, at), text:sub(at + 1 + size)
  if kind == 1 then
    return before .. string.char(math.random(0, 255)) .. text:sub(at + 2)
  elseif kind == 2 then
    return before .. behind
  elseif kind == 3 then
    return before .. text:sub(at + 1, at + size) .. text:sub(at + 1)
  elseif kind == 4 then
    return before .. numbers[math.random(#numbers)] .. text:sub(at + 1)
  end
  local from, to = text:find("%d+", at + 1)
  if not from then return text end
  return text:sub(1, from - 1) .. numbers[math.random(#numbers)] .. text:sub(to + 1)
end

local base = os.tmpname()
local loaded, refused = 0, 0
for _ = 1, tonumber(arg[1] or 3000) do
  local ending = math.random(2) == 1 and ".mtx" or ".npy"
  local text = seeds[ending][math.random(#seeds[ending])]
  for _ = 1, math.random(0, 4) do
    text = damage(text)
  end
  local name = base .. ending
  local file <close> = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
  local ok, result = pcall(num.load, name)
  if ok then
    loaded = loaded + 1
    local _ = num.sum(num.sum(result)) + num.norm(result, 1) -- looks at all elements
  else
    refused = refused + 1
    assert(result:find(name, 1, true), result)
  end
end
os.remove(base)
os.remove(base .. ".mtx")
os.remove(base .. ".npy")
print(loaded .. " loaded, " .. refused .. " refused")
assert(loaded > 0 and refused > 0)
