-- Notes what the log is, where nothing is noted yet, and answers what is noted. Writes always, so that a Redis that takes
-- no writes is found out.
--
-- KEYS: schema, probe
-- ARGV: version, partitions, time to live of the probe ms
redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
local noted = redis.call('HMGET', KEYS[1], 'version', 'partitions')
if noted[1] then return noted end
redis.call('HSET', KEYS[1], 'version', ARGV[1], 'partitions', ARGV[2])
return {ARGV[1], ARGV[2]}
