-- A JSON writer and reader: string scanning, recursion, tables with sorted keys, error positions.
local escapes = { ['"'] = '\\"', ["\\"] = "\\\\", ["\n"] = "\\n", ["\t"] = "\\t" }
local function encode(v)
    local t = type(v)
    if t == "string" then return '"' .. v:gsub('["\\%c]', function(c) return escapes[c] or ("\\u%04x"):format(c:byte()) end) .. '"' end
    if t ~= "table" then return tostring(v) end
    local r = {}
    if #v > 0 then
        for _, x in ipairs(v) do r[#r + 1] = encode(x) end
        return "[" .. table.concat(r, ",") .. "]"
    end
    local keys = {}
    for k in pairs(v) do keys[#keys + 1] = k end
    table.sort(keys)
    for _, k in ipairs(keys) do r[#r + 1] = encode(k) .. ":" .. encode(v[k]) end
    return "{" .. table.concat(r, ",") .. "}"
end
local function decode(s)
    local at = 1
    local value
    local function skip() at = s:find("%S", at) or #s + 1 end
    local function fail(what) error(("%s at %d"):format(what, at), 0) end
    local function list(close, item)
        at = at + 1
        skip()
        local r = {}
        if s:sub(at, at) == close then at = at + 1 return r end
        repeat
            item(r)
            skip()
            local c = s:sub(at, at)
            at = at + 1
            if c ~= "," and c ~= close then fail("no , or " .. close) end
        until c == close
        return r
    end
    local function text()
        skip()
        local to = at
        repeat
            to = s:find('"', to + 1, true)
            if not to then fail "open string" end
        until s:sub(to - 1, to - 1) ~= "\\"
        local raw = s:sub(at + 1, to - 1)
        at = to + 1
        return (raw:gsub("\\(.)", { n = "\n", t = "\t" }))
    end
    local words = { ["true"] = true, ["false"] = false, ["null"] = "null" }
    function value()
        skip()
        local c = s:sub(at, at)
        if c == "{" then return list("}", function(r) local k = text() skip() at = at + 1 r[k] = value() end) end
        if c == "[" then return list("]", function(r) r[#r + 1] = value() end) end
        if c == '"' then return text() end
        local n = s:match("^-?%d+%.?%d*[eE]?[+-]?%d*", at)
        if n then at = at + #n return tonumber(n) end
        local w = s:match("^%a+", at)
        if words[w] == nil then fail("unknown " .. tostring(w)) end
        at = at + #w
        return words[w]
    end
    local v = value()
    skip()
    if at <= #s then fail "more text" end
    return v
end
local texts = {
    '[1, 2.5, -3e2, "x\\ny", true, null]', '{"b": {"c": [[], {}, [1]]}, "a": "q\\"uote"}',
    "[1, 2", '{"k": }', '[1] x', '"open',
}
for _, s in ipairs(texts) do
    local ok, v = pcall(decode, s)
    print(s, ok, ok and encode(v) or v)
    if ok then print(encode(decode(encode(v))) == encode(v)) end
end
local big = {}
for i = 1, 12 do big[i] = { id = i, name = ("n"):rep(i % 4), tags = { "a" .. i, i * 1.5 } } end
local text = encode(big)
print(#text, text:sub(1, 60), encode(decode(text)) == text)
