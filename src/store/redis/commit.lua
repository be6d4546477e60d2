-- Moves a slot's place. Answers 'moved', 'before', 'superseded' or 'unknown'.
--
-- KEYS: slots (`slots.lua` has their fields)
-- ARGV: slot, generation, seq, position
local n = ARGV[1]
local slot = redis.call('HMGET', KEYS[1], 'g' .. n, 'q' .. n)
if not slot[1] then return 'unknown' end
if slot[1] ~= ARGV[2] then return 'superseded' end
if tonumber(ARGV[3]) <= tonumber(slot[2] or 0) then return 'before' end
local time = redis.call('TIME')
local now = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
redis.call('HSET', KEYS[1], 'q' .. n, ARGV[3], 'p' .. n, ARGV[4], 'c' .. n, now)
return 'moved'
