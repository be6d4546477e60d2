-- Renews a stream that may be changed, lets go of the changes that it has taken up, and answers those that wait: number,
-- record, number, record. Without an answer there is no such stream.
--
-- KEYS: stream
-- ARGV: 1 number of the last change that was taken up, 2 time to live ms
local key = KEYS[1]
local known = redis.call('HMGET', key, 'n', 'applied')
if not known[1] then
  return false
end
local n, before, applied = tonumber(known[1]), tonumber(known[2]), tonumber(ARGV[1])
redis.call('PEXPIRE', key, ARGV[2])
if applied > before then
  for i = before + 1, math.min(applied, n) do
    redis.call('HDEL', key, 'c:' .. i)
  end
  redis.call('HSET', key, 'applied', math.min(applied, n))
end
local out = {}
for i = math.max(before, applied) + 1, n do
  out[#out + 1] = i
  out[#out + 1] = redis.call('HGET', key, 'c:' .. i)
end
return out
