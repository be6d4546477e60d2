-- Puts a data key that was wrapped anew in the place of what it was, unless that has changed meanwhile.
--
-- KEYS: data keys, names of the master keys of this partition, conversations of the master key before, and of the new one
-- ARGV: 1 identifier, 2 what it was, 3 what it is to be, 4 name of the conversation, 5 the new master key
local ttl = redis.call('PTTL', KEYS[1])
local was = redis.call('HGET', KEYS[1], ARGV[1])
if was == ARGV[2] then
  local time = redis.call('TIME')
  local expires = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + math.max(ttl, 0))
  redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
  redis.call('SADD', KEYS[2], ARGV[5])
  redis.call('ZADD', KEYS[4], expires, ARGV[4])
end
redis.call('ZREM', KEYS[3], ARGV[4])
