-- Deletes an outbox. Answers how many events waited.
--
-- KEYS: index, outbox
-- ARGV: 1 webhook
local waited = redis.call('ZCARD', KEYS[2])
redis.call('ZREM', INDEX, ARGV[1])
redis.call('UNLINK', KEYS[2], KEYS[3], KEYS[4], KEYS[5], KEYS[6], KEYS[7])
return waited
