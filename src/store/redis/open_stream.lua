-- Notes a stream that may be changed, unless it is known.
--
-- KEYS: stream
-- ARGV: 1 time to live ms, 2 revision, 3 ff. conversations
local key = KEYS[1]
if redis.call('EXISTS', key) == 1 then
  redis.call('PEXPIRE', key, ARGV[1])
  return 0
end
redis.call('HSET', key, 'n', ARGV[2], 'applied', ARGV[2], 'count', #ARGV - 2)
for i = 3, #ARGV do
  redis.call('HSET', key, 'm:' .. ARGV[i], '')
end
redis.call('PEXPIRE', key, ARGV[1])
return 1
