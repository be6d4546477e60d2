-- Enters in its ledger what became of an operation.
--
-- KEYS: ledger, prints, awaited echoes (only where there will be one)
-- ARGV: token, 'accepted', 'withdrawn' or 'unknown', result, time to live of the ledger ms, value for the echo, by what the ledger
-- is found again
local sending, unknown = 'S' .. ARGV[1], 'U' .. ARGV[1]
if ARGV[2] == 'withdrawn' then
  redis.call('ZREM', KEYS[1], sending)
  if KEYS[3] then redis.call('LREM', KEYS[3], 0, ARGV[5]) end
  return
end
local open = sending
local announced = redis.call('ZSCORE', KEYS[1], sending)
if ARGV[2] == 'unknown' then
  if announced then
    redis.call('ZADD', KEYS[1], announced, unknown)
    redis.call('ZREM', KEYS[1], sending)
  end
  return
end
if not announced then
  open = unknown
  announced = redis.call('ZSCORE', KEYS[1], unknown)
end
if not announced then
  -- The announcement was lost with a Redis that failed. What happened must be known all the same.
  local time = redis.call('TIME')
  announced = string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000))
  redis.call('ZADD', KEYS[2], announced, ARGV[6])
  if redis.call('PTTL', KEYS[2]) < tonumber(ARGV[4]) then redis.call('PEXPIRE', KEYS[2], ARGV[4]) end
end
redis.call('ZADD', KEYS[1], 'NX', announced, 'A' .. ARGV[1] .. '\0' .. ARGV[3])
redis.call('ZREM', KEYS[1], open)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
