-- Notes what the log is, where nothing is noted yet, and answers what is noted. Writes always, so that a Redis that takes
-- no writes is found out.
--
-- KEYS: schema, probe
-- ARGV: version, partitions, time to live of the probe ms, version that takes its place ('': none)
redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
local noted = redis.call('HMGET', KEYS[1], 'version', 'partitions')
if not noted[1] then
  noted = {ARGV[1], ARGV[2]}
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'partitions', ARGV[2])
end
if noted[1] == ARGV[1] and noted[2] == ARGV[2] and ARGV[4] ~= '' then
  noted[1] = ARGV[4]
  redis.call('HSET', KEYS[1], 'version', ARGV[4])
end
return noted
