-- Erases what a call was answered. It may have happened, for all that is known of it then.
--
-- KEYS: record
local state = redis.call('HGET', KEYS[1], 'state')
if not state or state == 'sending' then return end
redis.call('HDEL', KEYS[1], 'answer', 'mark')
redis.call('HSET', KEYS[1], 'state', 'unknown')
