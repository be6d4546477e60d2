-- Notes what the log is, where nothing is noted yet, and answers what is noted: layout, partitions, and the format in which entries
-- are written. Writes always, so that a Redis that takes no writes is found out.
--
-- KEYS: schema, probe
-- ARGV: version, partitions, time to live of the probe ms, version that takes its place ('': none), format in which a new log begins,
-- identifier of the replica ('': it is none) and what it tells of itself (`format.rs`), how long that is kept ms
redis.call('SET', KEYS[2], '', 'PX', ARGV[3])
local noted = redis.call('HMGET', KEYS[1], 'version', 'partitions', 'format')
if not noted[1] then
  noted = {ARGV[1], ARGV[2], ARGV[5]}
  redis.call('HSET', KEYS[1], 'version', ARGV[1], 'partitions', ARGV[2], 'format', ARGV[5])
end
if noted[1] == ARGV[1] and noted[2] == ARGV[2] and ARGV[4] ~= '' then
  noted[1] = ARGV[4]
  redis.call('HSET', KEYS[1], 'version', ARGV[4])
end
-- A log in which that is not noted was begun before there was another.
noted[3] = noted[3] or '1'
if ARGV[6] ~= '' then
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  redis.call('HSET', KEYS[1], 'replica:' .. ARGV[6], string.format('%d %s', now, ARGV[7]))
  -- Now and then those are forgotten that are gone.
  if time[1] % 16 == 0 then
    local fields = redis.call('HGETALL', KEYS[1])
    for i = 1, #fields, 2 do
      local seen = string.find(fields[i], '^replica:') and tonumber(string.match(fields[i + 1], '^%d+'))
      if seen and seen < now - ARGV[8] then redis.call('HDEL', KEYS[1], fields[i]) end
    end
  end
end
return noted
