-- Needs S, L: a random choice by position, so that the order of the table decides who plays.
local seed = 31
local function random(n)
    seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
    return (seed >> 8) % n + 1
end
local players = {}
for i = 1, 50 do players["player" .. i] = { score = 0, games = 0 } end
local function choose(t, size)
    local n = random(size)
    for name, p in pairs(t) do
        n = n - 1
        if n == 0 then return name, p end
    end
end
local size, births = 50, 50
for game = 1, 6000 do
    local a, p = choose(players, size)
    local b, q = choose(players, size)
    if a ~= b then
        local wins = random(10) + p.score > random(10) + q.score
        p.score, q.score = p.score + (wins and 1 or -1), q.score + (wins and -1 or 1)
        p.games, q.games = p.games + 1, q.games + 1
        if p.score < -8 then
            players[a] = nil
            births = births + 1
            players["player" .. births] = { score = 0, games = 0 }
        end
    end
    if game % 200 == 0 then
        local best, score = nil, -100
        for name, r in pairs(players) do if r.score > score then best, score = name, r.score end end
        print(game, births, best, score, (next(players)))
    end
end
