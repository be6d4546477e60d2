-- Finds a customer's conversation, or the attempt to create it, which is the caller's own where there is none yet.
-- Answers {'conversation', id, age in ms} or {'attempt', id, 0}.
--
-- KEYS: customer
-- ARGV: attempt, time to live of an attempt ms, time to live of a conversation ms
local known = redis.call('GET', KEYS[1])
if not known then
  redis.call('SET', KEYS[1], 'a:' .. ARGV[1], 'PX', ARGV[2])
  return {'attempt', ARGV[1], 0}
end
local since, conversation = string.match(known, '^c:(%d+):(.*)$')
if not since then
  -- It must not be forgotten while somebody makes it.
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {'attempt', string.sub(known, 3), 0}
end
redis.call('PEXPIRE', KEYS[1], ARGV[3])
local time = redis.call('TIME')
return {'conversation', conversation, math.max(0, time[1] * 1000 + math.floor(time[2] / 1000) - tonumber(since))}
