-- Reads a ledger, the oldest entry first. Answers {now in Unix ms, {member, announced, ...}}.
--
-- KEYS: ledger
-- ARGV: time to live of the ledger ms, most entries
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local since = string.format('%.0f', now - tonumber(ARGV[1]))
return {now, redis.call('ZRANGEBYSCORE', KEYS[1], since, '+inf', 'WITHSCORES', 'LIMIT', 0, ARGV[2])}
