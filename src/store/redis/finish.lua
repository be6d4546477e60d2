-- Records how a call ended. That it was done is final.
--
-- KEYS: record
-- ARGV: 'done', 'not sent' or 'unknown'; the answer
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'done' then return end
if ARGV[1] == 'not sent' then
  redis.call('DEL', KEYS[1])
elseif ARGV[1] == 'done' then
  redis.call('HSET', KEYS[1], 'state', 'done', 'answer', ARGV[2])
else
  redis.call('HSET', KEYS[1], 'state', 'unknown')
end
