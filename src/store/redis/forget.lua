-- Deletes what is kept of a subscription under one key, and notes for a while that it is gone.
--
-- KEYS: slots or members
-- ARGV: how long, in ms
redis.call('DEL', KEYS[1])
redis.call('HSET', KEYS[1], 'gone', '1')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
