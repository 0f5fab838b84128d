-- Needs Z, L: a hash table of the script's own, whose hash is the address that tostring shows.
local Map = {}
Map.__index = Map
local function hash(o, n) return tonumber(tostring(o):match("0x(%x+)"), 16) // 16 % n + 1 end
function Map.new() return setmetatable({ size = 8, count = 0, buckets = {} }, Map) end
function Map:set(key, value)
    local i = hash(key, self.size)
    self.buckets[i] = { key = key, value = value, next = self.buckets[i] }
    self.count = self.count + 1
    if self.count > self.size then self:grow() end
end
function Map:grow()
    local old, size = self.buckets, self.size
    self.size, self.count, self.buckets = size * 2, 0, {}
    for i = 1, size do
        local entry = old[i]
        while entry do
            self:set(entry.key, entry.value)
            entry = entry.next
        end
    end
end
function Map:depths()
    local depths = {}
    for i = 1, math.min(self.size, 40) do
        local entry, n = self.buckets[i], 0
        while entry do entry, n = entry.next, n + 1 end
        depths[i] = n
    end
    return table.concat(depths)
end
local map, objects = Map.new(), {}
for round = 1, 60 do
    for _ = 1, 15 do
        objects[#objects + 1] = round % 2 == 0 and {} or function() return round end
        map:set(objects[#objects], #objects)
    end
    print(round, map.size, map.count, map:depths())
end
