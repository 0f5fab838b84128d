-- Needs S, L, G for keys that come again: a cache with the least recently used entry thrown out.
local Cache = {}
Cache.__index = Cache
function Cache.new(limit)
    local head = {}
    head.next, head.previous = head, head
    return setmetatable({ limit = limit, count = 0, entries = {}, head = head, hits = 0 }, Cache)
end
local function unlink(e) e.previous.next, e.next.previous = e.next, e.previous end
function Cache:front(e)
    e.previous, e.next = self.head, self.head.next
    e.next.previous, self.head.next = e, e
end
function Cache:get(key)
    local e = self.entries[key]
    if e then
        self.hits = self.hits + 1
        unlink(e)
    else
        if self.count == self.limit then
            local last = self.head.previous
            unlink(last)
            self.entries[last.key] = nil
        else
            self.count = self.count + 1
        end
        e = { key = key, value = #key * 3 }
        self.entries[key] = e
    end
    self:front(e)
    return e.value
end
local cache, seed, sum = Cache.new(64), 5, 0
for step = 1, 15000 do
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    local n = (seed >> 8) % 200
    sum = (sum + cache:get("key" .. n * n % 173)) % 65536
    if step % 500 == 0 then
        local order = {}
        for key in pairs(cache.entries) do
            order[#order + 1] = key
            if #order == 12 then break end
        end
        print(step, cache.hits, sum, cache.head.next.key, table.concat(order, " "))
    end
end
