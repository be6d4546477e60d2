-- Records how a call ended. That it was done is final, and only the call that began can say that nothing was sent.
--
-- KEYS: record
-- ARGV: 'done', 'not sent' or 'unknown'; the answer; the nonce of the call that began
local record = redis.call('HMGET', KEYS[1], 'state', 'nonce')
if not record[1] or record[1] == 'done' then return end
if ARGV[1] == 'not sent' then
  if record[2] == ARGV[3] then redis.call('DEL', KEYS[1]) end
elseif ARGV[1] == 'done' then
  redis.call('HSET', KEYS[1], 'state', 'done', 'answer', ARGV[2])
  -- Nobody will look for it any more.
  redis.call('HDEL', KEYS[1], 'mark')
else
  redis.call('HSET', KEYS[1], 'state', 'unknown')
end
