-- Puts a change where its stream finds it.
--
-- KEYS: stream
-- ARGV: 1 most conversations, 2 most changes that wait, 3 record, 4 how many are removed, 5 ff. those, then those added
-- Answers the change's number; -1: no such stream, -2: too many conversations, -3: too many changes wait.
local key = KEYS[1]
if redis.call('EXISTS', key) == 0 then
  return -1
end
local known = redis.call('HMGET', key, 'n', 'applied', 'count')
local n, applied, count = tonumber(known[1]), tonumber(known[2]), tonumber(known[3])
if n - applied >= tonumber(ARGV[2]) then
  return -3
end
local first_added = 5 + tonumber(ARGV[4])
local removed = {}
for i = 5, first_added - 1 do
  if redis.call('HEXISTS', key, 'm:' .. ARGV[i]) == 1 then
    removed[ARGV[i]] = true
    count = count - 1
  end
end
for i = first_added, #ARGV do
  if removed[ARGV[i]] or redis.call('HEXISTS', key, 'm:' .. ARGV[i]) == 0 then
    count = count + 1
  end
end
if count > tonumber(ARGV[1]) then
  return -2
end
for i = 5, first_added - 1 do
  redis.call('HDEL', key, 'm:' .. ARGV[i])
end
for i = first_added, #ARGV do
  redis.call('HSET', key, 'm:' .. ARGV[i], '')
end
n = n + 1
redis.call('HSET', key, 'n', n, 'count', count, 'c:' .. n, ARGV[3])
return n
